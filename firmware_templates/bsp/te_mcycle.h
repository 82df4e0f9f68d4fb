/* SPDX-License-Identifier: Apache-2.0 */
/* te_bsp_cycles by the standard counter mcycle. */
#ifndef TE_MCYCLE_H
#define TE_MCYCLE_H

#include "te_bsp.h"

#endif
