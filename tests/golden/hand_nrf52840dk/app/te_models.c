/* SPDX-License-Identifier: Apache-2.0 */
#include "te_models.h"

extern const te_model_info hand_info;

const te_model_info *const te_models[TE_MODEL_COUNT] = {
    &hand_info,
};
