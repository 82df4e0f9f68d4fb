/* SPDX-License-Identifier: Apache-2.0 */
#include "te_filters_s16.h"

#include "te_requantize_wide.h"

/* A product is at most 2^22, so as many of them stay in int32. */
#define CHUNK 256

/* sum[i] += w[i] * x over `taps` elements, for four filters; within a chunk in int32, one instruction a product. */
static __attribute__((noinline)) void dot_4(const int8_t *const w[4], const int16_t *x, uint32_t taps, int64_t sum[4]) {
  for (uint32_t done = 0; done < taps; done += CHUNK) {
    const uint32_t end = taps - done < CHUNK ? taps : done + CHUNK;
    const int8_t *w0 = w[0];
    const int8_t *w1 = w[1];
    const int8_t *w2 = w[2];
    const int8_t *w3 = w[3];
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;
    for (uint32_t k = done; k < end; k++) {
      const int32_t v = x[k];
      s0 += w0[k] * v;
      s1 += w1[k] * v;
      s2 += w2[k] * v;
      s3 += w3[k] * v;
    }
    sum[0] += s0;
    sum[1] += s1;
    sum[2] += s2;
    sum[3] += s3;
  }
}

void te_filters_s16(const te_filters_s16_params *f, int32_t begin, int32_t end, const int16_t *x, int16_t *output) {
  /* The last block repeats the last filter rather than stop short. */
  for (int32_t first = begin; first < end; first += 4) {
    const int8_t *weights[4];
    int64_t sum[4];
    for (int32_t i = 0; i < 4; i++) {
      const int32_t filter = first + i < end ? first + i : end - 1;
      weights[i] = f->weights + (uint32_t)filter * f->taps;
      sum[i] = f->bias[filter];
    }
    dot_4(weights, x, f->taps, sum);
    for (int32_t i = first; i < first + 4 && i < end; i++) {
      output[i] = te_output_s16(sum[i - first], f->multiplier[i], f->right[i], f->activation_min, f->activation_max);
    }
  }
}
