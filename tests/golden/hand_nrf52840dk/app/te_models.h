/* SPDX-License-Identifier: Apache-2.0 */
/* The models of this firmware. */
#ifndef TE_MODELS_H
#define TE_MODELS_H

#include "te_model.h"

#define TE_MODEL_COUNT 1
#define TE_MOST_LAYERS 2 /* of a model */

extern const te_model_info *const te_models[TE_MODEL_COUNT];

#endif
