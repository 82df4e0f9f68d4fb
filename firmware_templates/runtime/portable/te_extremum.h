/* The larger or the smaller of two tensors, element by element, with broadcasting. */
#ifndef TE_EXTREMUM_H
#define TE_EXTREMUM_H

#include <stdint.h>

#include "te_broadcast.h"

typedef struct {
  te_broadcast shape;
} te_extremum_params;

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_maximum_s8(const te_extremum_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_maximum_s16(const te_extremum_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);
void te_maximum_s32(const te_extremum_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);
void te_minimum_s8(const te_extremum_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_minimum_s16(const te_extremum_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);
void te_minimum_s32(const te_extremum_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);

#endif
