/* SPDX-License-Identifier: Apache-2.0 */
/* te_bsp_halt of machines that are mostly emulated: the exit code goes to whoever runs them. */
#ifndef TE_SEMIHOSTING_H
#define TE_SEMIHOSTING_H

#include "te_bsp.h"

#endif
