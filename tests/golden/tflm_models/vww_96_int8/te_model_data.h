/* SPDX-License-Identifier: Apache-2.0 */
/* vww_96_int8: the model file, 333288 bytes, SHA-256 597a384c8c2c8a1276f04702f25013b7838f2f814f1ca7c174d295b73e3d6b7b. */
#ifndef TE_MODEL_DATA_H
#define TE_MODEL_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t te_model_data[333288] __attribute__((aligned(16)));

#ifdef __cplusplus
}
#endif

#endif
