/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of int4 times one vector of int8.
 *
 * Weights lie two to a byte, the first in its low half; each filter begins with a new byte. */
#ifndef TE_FILTERS_S4_H
#define TE_FILTERS_S4_H

#include "te_filters.h"

te_filters_function te_filters_s4;

#endif
