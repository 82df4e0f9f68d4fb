/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products of int16 tensors, summed in int64. */
#ifndef TE_BATCH_MATMUL_S16_H
#define TE_BATCH_MATMUL_S16_H

#include <stdint.h>

#include "te_batch_matmul_s8.h"

typedef struct {
  te_matmul_side left; /* zero points are 0 */
  te_matmul_side right;
  uint32_t batches[3];
  uint32_t rows;
  uint32_t columns;
  uint32_t depth; /* at most 65536, so that no sum leaves [-2^47, 2^47) */
  int16_t multiplier;
  uint8_t right_shift; /* in [8, 46] */
} te_batch_matmul_s16_params;

/* output  [batches][rows][columns], apart from both inputs */
void te_batch_matmul_s16(const te_batch_matmul_s16_params *p, const int16_t *left, const int16_t *right,
                         int16_t *output);

#endif
