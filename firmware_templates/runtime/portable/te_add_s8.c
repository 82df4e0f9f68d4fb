#include "te_add_s8.h"

#include "te_requantize.h"

static inline int32_t scaled(const te_add_operand *operand, int32_t element, int32_t left_shift) {
  const int32_t shifted = (element - operand->zero_point) * (1 << left_shift);
  return te_round_shift(te_high_mul(shifted, operand->multiplier), -operand->shift);
}

/* A run along the innermost axis; returns the end of the output. */
static int8_t *add_run(const te_add_params *p, const int8_t *a, const int8_t *b, int8_t *output) {
  const int32_t a_step = p->operands[0].steps[3];
  const int32_t b_step = p->operands[1].steps[3];
  const int32_t left_shift = p->left_shift;
  for (uint32_t left = p->sizes[3]; left > 0; left--) {
    const int32_t sum = scaled(&p->operands[0], *a, left_shift) + scaled(&p->operands[1], *b, left_shift);
    *output++ = te_output_s8(sum, p->output_multiplier, p->output_shift, p->output_zero_point, p->activation_min,
                             p->activation_max);
    a += a_step;
    b += b_step;
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
