/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layers in float32. */
#ifndef TE_FULLY_CONNECTED_F32_H
#define TE_FULLY_CONNECTED_F32_H

#include <stdint.h>

typedef struct {
  uint32_t batches;
  uint32_t inputs;
  uint32_t outputs;
  float min; /* of the fused activation */
  float max;
} te_fully_connected_f32_params;

/* Products are added up in the order of the inputs, the bias last.
 *
 * input    [batches][inputs]
 * weights  [outputs][inputs]
 * bias     [outputs]
 * output   [batches][outputs] */
void te_fully_connected_f32(const te_fully_connected_f32_params *p, const float *input, const float *weights,
                            const float *bias, float *output);

#endif
