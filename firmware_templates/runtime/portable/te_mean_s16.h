/* SPDX-License-Identifier: Apache-2.0 */
/* Mean or sum over some axes of an int16 tensor; the output may have a quantization of its own. */
#ifndef TE_MEAN_S16_H
#define TE_MEAN_S16_H

#include "te_mean_s8.h"

/* input   at most 65535 elements for one output
 * output  [kept[0].size][kept[1].size]; zero points are 0 */
void te_mean_s16(const te_mean_params *p, const int16_t *input, int16_t *output);

#endif
