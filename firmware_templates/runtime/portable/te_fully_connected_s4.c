/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fully_connected_s4.h"

#include "te_filters_s4.h"

void te_fully_connected_s4(const te_fully_connected_params *p, const int8_t *input, int8_t *output) {
  te_fully_connected(p, te_filters_s4, input, output);
}
