/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products of int8 tensors. */
#ifndef TE_BATCH_MATMUL_S8_H
#define TE_BATCH_MATMUL_S8_H

#include <stdint.h>

/* How one side lies in memory, in elements. */
typedef struct {
  int32_t batch_steps[3]; /* from one matrix to the next along each batch dimension; 0 where it is broadcast */
  int32_t outer_step;     /* from one row of the left matrix, or column of the right one, to the next */
  int32_t depth_step;     /* from one factor of a sum to the next */
  int32_t zero_point;
} te_matmul_side;

typedef struct {
  te_matmul_side left;
  te_matmul_side right;
  uint32_t batches[3];
  uint32_t rows;
  uint32_t columns;
  uint32_t depth; /* at most 33025, so that no sum leaves int32 */
  int32_t multiplier;
  int8_t shift; /* in [-31, 30] */
  int8_t output_zero_point;
} te_batch_matmul_params;

/* output  [batches][rows][columns], apart from both inputs */
void te_batch_matmul_s8(const te_batch_matmul_params *p, const int8_t *left, const int8_t *right, int8_t *output);

#endif
