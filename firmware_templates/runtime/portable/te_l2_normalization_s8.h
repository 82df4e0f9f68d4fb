/* SPDX-License-Identifier: Apache-2.0 */
/* Rows divided by their Euclidean norms, int8 in, int8 out with scale 1/128 and zero point 0. */
#ifndef TE_L2_NORMALIZATION_S8_H
#define TE_L2_NORMALIZATION_S8_H

#include <stdint.h>

typedef struct {
  uint32_t rows;
  uint16_t depth;    /* values in a row, at most 33025 */
  int8_t zero_point; /* of the input */
} te_l2_normalization_params;

/* input, output  [rows][depth]; may be the same memory. The norm of a row of zeros is taken to be 1. */
void te_l2_normalization_s8(const te_l2_normalization_params *p, const int8_t *input, int8_t *output);

#endif
