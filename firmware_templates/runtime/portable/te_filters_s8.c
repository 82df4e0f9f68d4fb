#include "te_filters_s8.h"

#include "te_requantize.h"

/* sum[i] += w[i] * x over `count` elements: each element of x is loaded once for four filters. A function of its own,
 * so that the loop has the registers to itself; unrolled by hand, gcc keeps too much in flight and spills. */
static __attribute__((noinline)) void dot_4(const int8_t *const w[4], const int8_t *x, uint32_t count,
                                            int32_t sum[4]) {
  const int8_t *w0 = w[0];
  const int8_t *w1 = w[1];
  const int8_t *w2 = w[2];
  const int8_t *w3 = w[3];
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
  for (uint32_t k = 0; k < count; k++) {
    const int32_t v = x[k];
    s0 += w0[k] * v;
    s1 += w1[k] * v;
    s2 += w2[k] * v;
    s3 += w3[k] * v;
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

void te_filters_s8(const te_filters *f, int32_t begin, int32_t end, int32_t offset, const int8_t *x, int8_t *output) {
  const int32_t *bias = f->bias;
  const int32_t *multiplier = f->multiplier;
  const int8_t *shift = f->shift;
  const int32_t scale_step = f->per_filter;
  const int32_t zero_point = f->output_zero_point;
  const int32_t min = f->activation_min;
  const int32_t max = f->activation_max;
  /* The last block repeats the last filter rather than stop short. */
  for (int32_t first = begin; first < end; first += 4) {
    const int8_t *weights[4];
    int32_t sum[4];
    for (int32_t i = 0; i < 4; i++) {
      const int32_t filter = first + i < end ? first + i : end - 1;
      weights[i] = f->weights + (uint32_t)filter * f->taps;
      sum[i] = bias[filter] + offset;
    }
    dot_4(weights, x, f->taps, sum);
    for (int32_t i = 0; i < 4 && first + i < end; i++) {
      const int32_t scale = (first + i) * scale_step;
      output[first + i] = te_output_s8(sum[i], multiplier[scale], shift[scale], zero_point, min, max);
    }
  }
}
