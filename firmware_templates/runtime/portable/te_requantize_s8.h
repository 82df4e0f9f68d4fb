/* SPDX-License-Identifier: Apache-2.0 */
/* quantize from one int8 quantization to another. */
#ifndef TE_REQUANTIZE_S8_H
#define TE_REQUANTIZE_S8_H

#include <stdint.h>

typedef struct {
  uint32_t elements;
  int32_t multiplier;
  int8_t shift; /* in [-31, 30] */
  int8_t input_zero_point;
  int8_t output_zero_point;
} te_requantize_s8_params;

/* Output may be the same memory as input. */
void te_requantize_s8(const te_requantize_s8_params *p, const int8_t *input, int8_t *output);

#endif
