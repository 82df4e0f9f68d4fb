/* SPDX-License-Identifier: Apache-2.0 */
/* quantize: float32 to int8 or int16. */
#ifndef TE_QUANTIZE_F32_H
#define TE_QUANTIZE_F32_H

#include <stdbool.h>
#include <stdint.h>

#include "te_element.h"

typedef struct {
  uint32_t elements;
  te_element_type output_type;
  int32_t zero_point; /* within the output's range */
  float scale;
  bool wraps;
} te_quantize_f32_params;

/* x / scale to the nearest integer, halves away from zero, plus the zero point, saturated; not a number becomes the
 * zero point. Where it wraps, a quotient that leaves int32 or is no number counts as INT32_MIN, and the zero point is
 * added modulo 2^32, as an x86 processor does it. */
void te_quantize_f32(const te_quantize_f32_params *p, const float *input, void *output);

#endif
