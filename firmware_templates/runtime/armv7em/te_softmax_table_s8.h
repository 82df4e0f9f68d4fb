/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax over rows, int8 in, int8 out with scale 1/256 and zero point -128; exponentials by table.
 * For cores with a long multiplication and CLZ. */
#ifndef TE_SOFTMAX_TABLE_S8_H
#define TE_SOFTMAX_TABLE_S8_H

#include <stdint.h>

typedef struct {
  uint16_t rows;
  uint16_t depth;              /* values in a row, at most 4095 */
  uint16_t count;              /* of exponentials; larger differences to the maximum count as nothing */
  const int32_t *exponentials; /* exp(-difference * beta * input scale) for differences 0, 1, ..., Q0.31 */
} te_softmax_table_params;

/* input, output  [rows][depth]; may be the same memory */
void te_softmax_table_s8(const te_softmax_table_params *p, const int8_t *input, int8_t *output);

#endif
