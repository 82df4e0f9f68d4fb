/* SPDX-License-Identifier: Apache-2.0 */
#include "te_gather.h"

#include <string.h>

/* The byte of a span where the block of a tuple begins. Products and sums may wrap: they are limited in the end. */
static uint32_t block_of(const te_gather_params *p, const int32_t *tuple) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < p->numbers; i++) {
    sum += (uint32_t)tuple[i] * (uint32_t)p->steps[i];
  }
  const uint32_t last = p->span - p->block;
  return (int32_t)sum < 0 ? 0 : sum > last ? last : sum;
}

void te_gather(const te_gather_params *p, const int8_t *table, const int32_t *indices, int8_t *output) {
  for (uint32_t batch = 0; batch < p->batches; batch++) {
    for (uint32_t span = 0; span < p->outer; span++) {
      const int32_t *tuple = indices;
      for (uint32_t i = 0; i < p->count; i++) {
        memcpy(output, table + block_of(p, tuple), p->block);
        tuple += p->numbers;
        output += p->block;
      }
      table += p->span;
    }
    indices += p->count * p->numbers;
  }
}
