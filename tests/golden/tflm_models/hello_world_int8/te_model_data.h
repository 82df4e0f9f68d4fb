/* SPDX-License-Identifier: Apache-2.0 */
/* hello_world_int8: the model file, 2704 bytes, SHA-256 505ee4fae7fa46ab67bea4c08b4969eb3eb8b9114c50595ec4a29d9a27993202. */
#ifndef TE_MODEL_DATA_H
#define TE_MODEL_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t te_model_data[2704] __attribute__((aligned(16)));

#ifdef __cplusplus
}
#endif

#endif
