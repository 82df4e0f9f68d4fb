/* SPDX-License-Identifier: Apache-2.0 */
/* The hyperbolic tangent of int16, by interpolating in a table of the logistic function; output scale 1/32768. */
#ifndef TE_TANH_S16_H
#define TE_TANH_S16_H

#include "te_sigmoid.h"

/* Output may be the same memory as input. */
void te_tanh_s16(const te_sigmoid_params *p, const int16_t *input, int16_t *output);

#endif
