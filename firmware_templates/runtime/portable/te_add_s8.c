/* SPDX-License-Identifier: Apache-2.0 */
#include "te_add_s8.h"

#include "te_requantize.h"

/* What rescaling an operand needs, out of reach of stores to the output. */
typedef struct {
  int32_t zero_point, left_shift, multiplier, right_shift, step;
} te_scaling;

static te_scaling scaling_of(const te_add_params *p, int32_t index) {
  const te_add_operand *operand = &p->operands[index];
  const te_scaling scaling = {operand->zero_point, p->left_shift, operand->multiplier, -operand->shift,
                              operand->steps[3]};
  return scaling;
}

static inline int32_t scaled(const te_scaling *s, int32_t element) {
  return te_round_shift(te_high_mul((element - s->zero_point) * (1 << s->left_shift), s->multiplier), s->right_shift);
}

/* A run along the innermost axis; returns the end of the output. */
static int8_t *add_run(const te_add_params *p, const int8_t *x, const int8_t *y, int8_t *output) {
  const te_scaling a = scaling_of(p, 0);
  const te_scaling b = scaling_of(p, 1);
  const int32_t multiplier = p->output_multiplier;
  const int32_t shift = p->output_shift;
  const int32_t zero_point = p->output_zero_point;
  const int32_t min = p->activation_min;
  const int32_t max = p->activation_max;
  for (uint32_t left = p->sizes[3]; left > 0; left--) {
    *output++ = te_output_s8(scaled(&a, *x) + scaled(&b, *y), multiplier, shift, zero_point, min, max);
    x += a.step;
    y += b.step;
  }
  return output;
}

void te_add_s8(const te_add_params *p, const int8_t *input1, const int8_t *input2, int8_t *output) {
  const int32_t *a = p->operands[0].steps;
  const int32_t *b = p->operands[1].steps;
  for (uint32_t i = 0; i < p->sizes[0]; i++) {
    const int8_t *a1 = input1;
    const int8_t *b1 = input2;
    for (uint32_t j = 0; j < p->sizes[1]; j++) {
      const int8_t *a2 = a1;
      const int8_t *b2 = b1;
      for (uint32_t k = 0; k < p->sizes[2]; k++) {
        output = add_run(p, a2, b2, output);
        a2 += a[2];
        b2 += b[2];
      }
      a1 += a[1];
      b1 += b[1];
    }
    input1 += a[0];
    input2 += b[0];
  }
}
