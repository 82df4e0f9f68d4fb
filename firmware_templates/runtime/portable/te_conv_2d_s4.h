/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8 with weights of int4 that are kept two to a byte. */
#ifndef TE_CONV_2D_S4_H
#define TE_CONV_2D_S4_H

#include <stdint.h>

#include "te_conv_2d.h"

/* input    [input_h][input_w][input_channels]
 * output   [output_h][output_w][output_channels]
 * scratch  kernel_h * kernel_w * input_channels / groups bytes, any alignment; or NULL when no window reaches
 *          outside and each one is a single run of bytes in the input, which is then read in place */
void te_conv_2d_s4(const te_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
