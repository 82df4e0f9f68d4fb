/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_s4.h"

#include "te_filters_s4.h"

void te_conv_2d_s4(const te_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch) {
  te_conv_2d(p, te_filters_s4, input, output, scratch);
}
