/* SPDX-License-Identifier: Apache-2.0 */
/* hand: what main must know when it is compiled. */
#ifndef TE_MODEL_CONFIG_H
#define TE_MODEL_CONFIG_H

#define TE_MODEL_LAYER_COUNT 2

#endif
