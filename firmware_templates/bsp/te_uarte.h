/* SPDX-License-Identifier: Apache-2.0 */
/* The console over Nordic's UARTE: te_bsp_putc and te_bsp_getc. */
#ifndef TE_UARTE_H
#define TE_UARTE_H

/* Start it on the board's pins. The high frequency crystal must run. */
void te_uarte_start(void);

#endif
