/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layer of int8, whatever the form of the weights. */
#ifndef TE_FULLY_CONNECTED_H
#define TE_FULLY_CONNECTED_H

#include <stdint.h>

#include "te_filters.h"

typedef struct {
  uint16_t batches; /* rows of the input */
  uint16_t outputs;
  int8_t weight_zero_point;
  te_filters filters; /* [outputs], taps: the inputs; where the bias sums weights, it sums weight - weight_zero_point */
} te_fully_connected_params;

/* What a weight zero point takes from every sum of a row: itself times the sum of the row's inputs. */
static inline int32_t te_weight_offset(const te_fully_connected_params *p, const int8_t *input) {
  int32_t sum = 0;
  if (p->weight_zero_point != 0) {
    for (uint32_t i = 0; i < p->filters.taps; i++) {
      sum += input[i];
    }
  }
  return sum * -p->weight_zero_point;
}

/* `filters` is the function for the form of the weights. */
static inline void te_fully_connected(const te_fully_connected_params *p, te_filters_function *filters,
                                      const int8_t *input, int8_t *output) {
  for (int32_t batch = 0; batch < p->batches; batch++) {
    filters(&p->filters, 0, p->outputs, te_weight_offset(p, input), input, output);
    input += p->filters.taps;
    output += p->outputs;
  }
}

#endif
