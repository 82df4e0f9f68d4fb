/* SPDX-License-Identifier: Apache-2.0 */
/* A constant border of any value around an int16 tensor of four axes. */
#ifndef TE_PAD_S16_H
#define TE_PAD_S16_H

#include <stdint.h>

/* Sizes in elements, for each axis with the axes inside it: what one index of the input takes, and what the border
 * before and after all of them adds to the output. */
typedef struct {
  uint32_t before[4];
  uint32_t after[4];
  uint32_t sizes[3]; /* input indices of the three outer axes */
  uint32_t run;      /* elements of the innermost axis of the input */
  int16_t value;
} te_pad_s16_params;

/* The output may overlap the input from below, as far as writing upwards spares what is yet to be read. */
void te_pad_s16(const te_pad_s16_params *p, const int16_t *input, int16_t *output);

#endif
