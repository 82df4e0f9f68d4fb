#include "te_fully_connected_s8.h"

#include "te_dot_s8.h"
#include "te_requantize.h"

/* What a weight zero point takes from every sum of a row: itself times the sum of the row's inputs. */
static int32_t weight_offset(const te_fully_connected_params *p, const int8_t *input) {
  int32_t sum = 0;
  if (p->weight_zero_point != 0) {
    for (int32_t i = 0; i < p->inputs; i++) {
      sum += input[i];
    }
  }
  return sum * -p->weight_zero_point;
}

void te_fully_connected_s8(const te_fully_connected_params *p, const int8_t *input, int8_t *output) {
  const int32_t inputs = p->inputs;
  const int32_t last = p->outputs - 1;
  for (int32_t batch = 0; batch < p->batches; batch++) {
    const int32_t offset = weight_offset(p, input);
    /* Four outputs at a time; the last block repeats the last output rather than stop short. */
    for (int32_t first = 0; first <= last; first += 4) {
      const int8_t *weights[4];
      int32_t sum[4];
      for (int32_t i = 0; i < 4; i++) {
        const int32_t out = first + i < last ? first + i : last;
        weights[i] = p->weights + out * inputs;
        sum[i] = te_add_wrap(p->bias[out], offset);
      }
      te_dot_4x1_s8(weights, input, inputs, sum);
      for (int32_t i = 0; i < 4 && first + i <= last; i++) {
        const int32_t out = first + i;
        const int32_t scale = p->per_output ? out : 0;
        output[out] = te_output_s8(sum[i], p->multiplier[scale], p->shift[scale], p->output_zero_point,
                                   p->activation_min, p->activation_max);
      }
    }
    input += inputs;
    output += p->outputs;
  }
}
