/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_s8.h"

#include "te_filters_s8.h"

void te_conv_2d_s8(const te_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch) {
  te_conv_2d(p, te_filters_s8, input, output, scratch);
}
