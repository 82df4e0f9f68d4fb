/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layer, int8 with weights of int8: one matrix times each row of the input. */
#ifndef TE_FULLY_CONNECTED_S8_H
#define TE_FULLY_CONNECTED_S8_H

#include <stdint.h>

#include "te_fully_connected.h"

/* input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_s8(const te_fully_connected_params *p, const int8_t *input, int8_t *output);

#endif
