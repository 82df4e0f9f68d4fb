/* SPDX-License-Identifier: Apache-2.0 */
/* pretrainedResnet_quant: the model file, 98496 bytes, SHA-256 3c002613d1b2475eb51dd78dfb85a546c8ae658dee71cf6ade43b022fe205415. */
#ifndef TE_MODEL_DATA_H
#define TE_MODEL_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t te_model_data[98496] __attribute__((aligned(16)));

#ifdef __cplusplus
}
#endif

#endif
