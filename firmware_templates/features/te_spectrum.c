/* SPDX-License-Identifier: Apache-2.0 */
#include "te_spectrum.h"

void te_spectrum_frame(const te_spectrum_params *p, void *state, void *scratch, const int16_t *samples,
                       int16_t *values) {
  (void)state;
  for (uint32_t axis = 0; axis < p->bands.axes; ++axis) {
    te_bands(&p->bands, scratch, samples + axis, values + axis * p->bands.count);
  }
  te_normalize(&p->normalize, p->bands.axes * p->bands.count, values);
}
