/* SPDX-License-Identifier: Apache-2.0 */
#include "te_logical.h"

TE_ELEMENTWISE(te_logical_and, te_pair_params, bool, bool, (x && y))
TE_ELEMENTWISE(te_logical_or, te_pair_params, bool, bool, (x || y))
