/* SPDX-License-Identifier: Apache-2.0 */
#include "te_resize_bilinear_s8.h"

#define ONE 1024

/* Where an output lies: between the cells `before` and `behind`, by `weight` of 1024 towards the latter. */
typedef struct {
  int32_t before;
  int32_t behind;
  int32_t weight;
} te_place;

static te_place place_of(const te_bilinear_axis *axis, int32_t index) {
  const int32_t at = index * axis->scale + axis->offset;
  const int32_t before = at < 0 ? 0 : at / ONE;
  const int32_t behind = (at + ONE - 1) / ONE;
  const te_place place = {before, behind < axis->input ? behind : axis->input - 1, at - before * ONE};
  return place;
}

/* x / 2^20 to the nearest integer, halves away from zero. */
static inline int8_t round_20(int32_t x) {
  return (int8_t)((x > 0 ? x + (1 << 19) : x - (1 << 19)) / (1 << 20));
}

/* The weights of the four cells add up to 2^20. Where they lie outside [0, 2^20] the cells are the same, and no sum of
 * the products below leaves int32. */
static int8_t *resize_image(const te_resize_bilinear_params *p, const int8_t *input, int8_t *output) {
  const int32_t row_bytes = p->columns.input * p->channels;
  for (int32_t y = 0; y < p->rows.output; y++) {
    const te_place row = place_of(&p->rows, y);
    const int8_t *top = input + row.before * row_bytes;
    const int8_t *bottom = input + row.behind * row_bytes;
    for (int32_t x = 0; x < p->columns.output; x++) {
      const te_place column = place_of(&p->columns, x);
      const int32_t left = column.before * p->channels;
      const int32_t right = column.behind * p->channels;
      const int32_t top_left = (ONE - row.weight) * (ONE - column.weight);
      const int32_t top_right = (ONE - row.weight) * column.weight;
      const int32_t bottom_left = row.weight * (ONE - column.weight);
      const int32_t bottom_right = row.weight * column.weight;
      for (int32_t c = 0; c < p->channels; c++) {
        *output++ = round_20(top[left + c] * top_left + top[right + c] * top_right + bottom[left + c] * bottom_left +
                             bottom[right + c] * bottom_right);
      }
    }
  }
  return output;
}

void te_resize_bilinear_s8(const te_resize_bilinear_params *p, const int8_t *input, int8_t *output) {
  for (int32_t batch = 0; batch < p->batches; batch++) {
    output = resize_image(p, input, output);
    input += p->rows.input * p->columns.input * p->channels;
  }
}
