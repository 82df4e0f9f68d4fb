/* SPDX-License-Identifier: Apache-2.0 */
#include "te_reduce_f32.h"

#define TE_LARGEST 3.4028234663852886e38f /* of float32 */

/* Defines the function `name`: `result` begins as `start` and becomes `each` for each value `x`; `last` is written. */
#define TE_REDUCE(name, start, each, last)                                                                             \
  static inline float name##_one(const te_reduce_f32_params *p, const float *input) {                                  \
    float result = (start);                                                                                            \
    for (uint32_t i = p->reduced[0].size; i > 0; i--) {                                                                \
      const float *cell = input;                                                                                       \
      for (uint32_t j = p->reduced[1].size; j > 0; j--) {                                                              \
        const float x = *cell;                                                                                         \
        result = (each);                                                                                               \
        cell += p->reduced[1].step;                                                                                    \
      }                                                                                                                \
      input += p->reduced[0].step;                                                                                     \
    }                                                                                                                  \
    return (last);                                                                                                     \
  }                                                                                                                    \
                                                                                                                       \
  void name(const te_reduce_f32_params *p, const float *input, float *output) {                                        \
    for (uint32_t i = p->kept[0].size; i > 0; i--) {                                                                   \
      const float *cell = input;                                                                                       \
      for (uint32_t j = p->kept[1].size; j > 0; j--) {                                                                 \
        *output++ = name##_one(p, cell);                                                                               \
        cell += p->kept[1].step;                                                                                       \
      }                                                                                                                \
      input += p->kept[0].step;                                                                                        \
    }                                                                                                                  \
  }

TE_REDUCE(te_reduce_f32_sum, 0.0f, result + x, result / p->divisor)
TE_REDUCE(te_reduce_f32_max, -TE_LARGEST, x > result ? x : result, result)
TE_REDUCE(te_reduce_f32_min, TE_LARGEST, x < result ? x : result, result)
