/* SPDX-License-Identifier: Apache-2.0 */
/* ad01_int8: the model file, 276976 bytes, SHA-256 87cf24194ef93d1d9b11a591d805526b98008e351655d29883c825c9c106ba24. */
#ifndef TE_MODEL_DATA_H
#define TE_MODEL_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t te_model_data[276976] __attribute__((aligned(16)));

#ifdef __cplusplus
}
#endif

#endif
