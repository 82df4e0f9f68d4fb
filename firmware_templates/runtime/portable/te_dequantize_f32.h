/* SPDX-License-Identifier: Apache-2.0 */
/* dequantize at the float border of a model: int8, uint8 or int16 to float32. */
#ifndef TE_DEQUANTIZE_F32_H
#define TE_DEQUANTIZE_F32_H

#include <stdint.h>

#include "te_element.h"

typedef struct {
  uint32_t elements;
  te_element_type input_type; /* not TE_S32 */
  int32_t zero_point;
  float scale;
} te_dequantize_f32_params;

/* scale * (element - zero point). The difference has at most 17 bits, so a float32 product, rounded once, is what a
 * product in double precision rounded to float32 is. */
void te_dequantize_f32(const te_dequantize_f32_params *p, const void *input, float *output);

#endif
