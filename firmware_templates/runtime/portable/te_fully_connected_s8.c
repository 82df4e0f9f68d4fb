#include "te_fully_connected_s8.h"

/* What a weight zero point takes from every sum of a row: itself times the sum of the row's inputs. */
static int32_t weight_offset(const te_fully_connected_params *p, const int8_t *input) {
  int32_t sum = 0;
  if (p->weight_zero_point != 0) {
    for (uint32_t i = 0; i < p->filters.taps; i++) {
      sum += input[i];
    }
  }
  return sum * -p->weight_zero_point;
}

void te_fully_connected_s8(const te_fully_connected_params *p, const int8_t *input, int8_t *output) {
  for (int32_t batch = 0; batch < p->batches; batch++) {
    te_filters_s8(&p->filters, 0, p->outputs, weight_offset(p, input), input, output);
    input += p->filters.taps;
    output += p->outputs;
  }
}
