/* SPDX-License-Identifier: Apache-2.0 */
/* Samples shifted left as far as their type lets them. */
#ifndef TE_SIGNAL_FFT_AUTO_SCALE_H
#define TE_SIGNAL_FFT_AUTO_SCALE_H

#include <stdint.h>

/* The bits by which the values can be shifted, in [0, 14]; 0 where all are 0. As in TensorFlow Lite Micro, -32768 is
 * forgotten when another value follows it. */
int32_t te_signal_scale_bits(const int16_t *input, uint32_t count);

/* output  [count]; may be the input
 * bits    what te_signal_scale_bits says */
void te_signal_fft_auto_scale(const int16_t *input, uint32_t count, int16_t *output, int32_t *bits);

#endif
