/* SPDX-License-Identifier: Apache-2.0 */
/* te_bsp_cycles by CYCCNT of the Data Watchpoint and Trace unit: Armv7-M, Armv8-M with the Main Extension. */
#ifndef TE_DWT_H
#define TE_DWT_H

void te_dwt_start(void);

#endif
