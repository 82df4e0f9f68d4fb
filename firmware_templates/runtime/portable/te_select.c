/* SPDX-License-Identifier: Apache-2.0 */
#include "te_select.h"

#define TE_SELECT(name, type)                                                                                          \
  void name(const te_pair_params *p, const bool *condition, const type *input1, const type *input2, type *output) {    \
    const int32_t last = TE_BROADCAST_AXES - 1;                                                                        \
    te_walk walk = {{0}, {0}};                                                                                         \
    do {                                                                                                               \
      const bool *c = condition + walk.offsets[0];                                                                     \
      const type *a = input1 + walk.offsets[1];                                                                        \
      const type *b = input2 + walk.offsets[2];                                                                        \
      for (uint32_t left = p->shape.sizes[last]; left > 0; left--) {                                                   \
        *output++ = *c ? *a : *b;                                                                                      \
        c += p->shape.steps[0][last];                                                                                  \
        a += p->shape.steps[1][last];                                                                                  \
        b += p->shape.steps[2][last];                                                                                  \
      }                                                                                                                \
    } while (te_broadcast_next(&p->shape, &walk));                                                                     \
  }

TE_SELECT(te_select_s8, int8_t)
TE_SELECT(te_select_s16, int16_t)
TE_SELECT(te_select_f32, float)
