/* SPDX-License-Identifier: Apache-2.0 */
/* Vibration: the energy of each axis in bands of frequency. */
#ifndef TE_SPECTRUM_H
#define TE_SPECTRUM_H

#include <stdint.h>

#include "te_bands.h"
#include "te_normalize.h"

typedef struct {
  te_bands_params bands;
  te_normalize_params normalize;
} te_spectrum_params;

/* scratch  int32, as te_bands takes it
 * samples  [bands.window][bands.axes]
 * values   [bands.axes][bands.count] */
void te_spectrum_frame(const te_spectrum_params *p, void *state, void *scratch, const int16_t *samples,
                       int16_t *values);

#endif
