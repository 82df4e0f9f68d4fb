/* SPDX-License-Identifier: Apache-2.0 */
/* Integers as they are, cut to the bits of the output. */
#ifndef TE_CAST_H
#define TE_CAST_H

#include <stdint.h>

#include "te_element.h"

typedef struct {
  uint32_t elements;
  te_element_type input_type; /* bool is TE_U8 */
  te_element_type output_type;
} te_cast_params;

/* Input and output are aligned to their elements. */
void te_cast(const te_cast_params *p, const void *input, void *output);

#endif
