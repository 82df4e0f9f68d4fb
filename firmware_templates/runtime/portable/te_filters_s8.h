/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of int8 times one vector of int8. */
#ifndef TE_FILTERS_S8_H
#define TE_FILTERS_S8_H

#include "te_filters.h"

te_filters_function te_filters_s8;

#endif
