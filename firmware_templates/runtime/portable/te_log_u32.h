/* SPDX-License-Identifier: Apache-2.0 */
/* The natural logarithm of a whole number. */
#ifndef TE_LOG_U32_H
#define TE_LOG_U32_H

#include <stdint.h>

/* ln(x) * scale, x not 0, modulo 2^16. The error of ln(x) is below 0.0025. */
uint32_t te_log_u32(uint32_t x, uint32_t scale);

#endif
