/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layer, int8 with weights of int4 that are kept two to a byte: one matrix times each row of the input.
 */
#ifndef TE_FULLY_CONNECTED_S4_H
#define TE_FULLY_CONNECTED_S4_H

#include <stdint.h>

#include "te_fully_connected.h"

/* input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_s4(const te_fully_connected_params *p, const int8_t *input, int8_t *output);

#endif
