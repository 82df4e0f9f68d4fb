/* SPDX-License-Identifier: Apache-2.0 */
/* Squared magnitudes of a spectrum. */
#ifndef TE_SIGNAL_ENERGY_H
#define TE_SIGNAL_ENERGY_H

#include <stdint.h>

/* bins    [count][2], real before imaginary
 * output  [count]: zeros outside of [start, end) */
void te_signal_energy(const int16_t *bins, uint32_t count, uint32_t start, uint32_t end, uint32_t *output);

#endif
