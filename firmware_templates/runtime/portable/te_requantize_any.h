/* SPDX-License-Identifier: Apache-2.0 */
/* quantize between the integer quantizations of int8, uint8, int16 and int32. */
#ifndef TE_REQUANTIZE_ANY_H
#define TE_REQUANTIZE_ANY_H

#include <stdint.h>

#include "te_element.h"

typedef struct {
  uint32_t elements;
  te_element_type input_type;
  te_element_type output_type;
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t multiplier;
  int8_t shift; /* in [-31, 30] */
} te_requantize_any_params;

/* Input and output are aligned to their elements. */
void te_requantize_any(const te_requantize_any_params *p, const void *input, void *output);

#endif
