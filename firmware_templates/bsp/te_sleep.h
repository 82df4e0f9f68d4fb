/* SPDX-License-Identifier: Apache-2.0 */
/* te_bsp_halt of a board: nobody is there to tell, so the core sleeps for good. */
#ifndef TE_SLEEP_H
#define TE_SLEEP_H

#include "te_bsp.h"

#endif
