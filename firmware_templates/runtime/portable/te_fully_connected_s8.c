/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fully_connected_s8.h"

#include "te_filters_s8.h"

void te_fully_connected_s8(const te_fully_connected_params *p, const int8_t *input, int8_t *output) {
  te_fully_connected(p, te_filters_s8, input, output);
}
