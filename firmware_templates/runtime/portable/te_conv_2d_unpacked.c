/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_unpacked.h"

#include "te_conv_2d_blocks_4x2.h"

void te_conv_2d_unpacked(const te_conv_2d_unpacked_params *p, const int8_t *input, int8_t *output, void *scratch) {
  int8_t *const weights = (int8_t *)scratch;
  te_unpack(&p->packed, weights);
  te_conv_2d_blocks_params conv = p->conv;
  conv.weights = weights;
  te_conv_2d_blocks_4x2(&conv, input, output, weights + p->packed.count);
}
