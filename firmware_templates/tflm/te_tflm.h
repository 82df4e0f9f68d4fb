/* SPDX-License-Identifier: Apache-2.0 */
/* TensorFlow Lite Micro behind a C interface: te_tflm.cc implements it, the model's library calls it. */
#ifndef TE_TFLM_H
#define TE_TFLM_H

#include <stdint.h>

#include "te_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Set up the interpreter in `bytes` bytes at `arena`, which is aligned to 16; may be called again. 0, or 1 when the
 * operators, 2 when the tensors cannot be set up; TensorFlow Lite Micro logs the reason. */
int te_tflm_prepare(uint8_t *arena, uint32_t bytes);

/* One inference; `done` is called after each layer and may be NULL. 0, or the status TensorFlow Lite Micro gives. */
int te_tflm_invoke(te_layer_done done, void *context);

/* First byte of input or output `i`; NULL before te_tflm_prepare succeeded. */
void *te_tflm_input(uint32_t i);
const void *te_tflm_output(uint32_t i);

#ifdef __cplusplus
}
#endif

#endif
