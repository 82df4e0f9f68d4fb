/* SPDX-License-Identifier: Apache-2.0 */
#include "te_logical_not.h"

void te_logical_not(const bool *input, bool *output, uint32_t elements) {
  for (uint32_t i = 0; i < elements; i++) {
    output[i] = !input[i];
  }
}
