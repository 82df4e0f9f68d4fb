/* SPDX-License-Identifier: Apache-2.0 */
/* kws_ref_model: the model file, 53936 bytes, SHA-256 aeea436800704fce17b17292e4412630ad856e9d777c044c64ef748a880bd0ae. */
#ifndef TE_MODEL_DATA_H
#define TE_MODEL_DATA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t te_model_data[53936] __attribute__((aligned(16)));

#ifdef __cplusplus
}
#endif

#endif
