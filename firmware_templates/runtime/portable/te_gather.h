/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a table picked by indices. */
#ifndef TE_GATHER_H
#define TE_GATHER_H

#include <stdint.h>

typedef struct {
  uint16_t batches;     /* of spans and of indices */
  uint16_t outer;       /* spans in a batch, which share its indices */
  uint32_t count;       /* tuples of indices in a batch */
  uint32_t span;        /* bytes */
  uint32_t block;       /* bytes that a tuple picks from a span */
  uint32_t numbers;     /* in a tuple */
  const int32_t *steps; /* [numbers]: bytes from one index to the next */
} te_gather_params;

/* table    [batches][outer][span]
 * indices  [batches][count][numbers]; what would lie outside the span is limited to it
 * output   [batches][outer][count][block], apart from both */
void te_gather(const te_gather_params *p, const int8_t *table, const int32_t *indices, int8_t *output);

#endif
