/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a tensor: what is left of a reshape when input and output could not share memory. */
#ifndef TE_COPY_H
#define TE_COPY_H

#include <stddef.h>
#include <string.h>

/* Copy `bytes` bytes; the two may overlap or be the same memory. */
static inline void te_copy(void *output, const void *input, size_t bytes) {
  if (output != input) {
    memmove(output, input, bytes);
  }
}

#endif
