/* SPDX-License-Identifier: Apache-2.0 */
/* A fully connected layer of low rank over time, int8. */
#ifndef TE_SVDF_S8_H
#define TE_SVDF_S8_H

#include <stdint.h>

typedef struct {
  uint16_t batches;
  uint16_t inputs;
  uint16_t units;
  uint16_t rank;   /* filters of a unit */
  uint16_t memory; /* values that the state keeps of each filter, oldest first */
  int8_t input_zero_point;
  int8_t output_zero_point;
  int16_t state_zero_point;
  int8_t feature_shift; /* in [-31, 30] */
  int8_t output_shift;  /* in [-31, 30] */
  int32_t feature_multiplier;
  int32_t output_multiplier;
  const int8_t *features; /* [units * rank][inputs] */
  const void *times;      /* [units * rank][memory], of the state's type */
  const int32_t *bias;    /* [units] */
} te_svdf_params;

/* input   [batches][inputs]
 * state   [batches][units * rank][memory]: moved on by one
 * output  [batches][units], apart from the input
 * Sums of features stay in int32; sums over time wrap. */
void te_svdf_s8(const te_svdf_params *p, const int8_t *input, int8_t *state, int8_t *output);      /* int8 state */
void te_svdf_s8_s16(const te_svdf_params *p, const int8_t *input, int16_t *state, int8_t *output); /* int16 state */

#endif
