/* SPDX-License-Identifier: Apache-2.0 */
/* The self-test of a model: one inference over numbers drawn by a fixed rule, whose outputs have a known checksum. The
 * same for every model. */
#ifndef TE_SELFTEST_H
#define TE_SELFTEST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Draw `count` bytes: each is x >> 24 of x = x * 1664525 + 1013904223. */
void te_selftest_bytes(void *input, uint32_t count, uint32_t *x);

/* Turn drawn bytes into truth values. */
void te_selftest_truth(void *input, uint32_t count);

/* Turn drawn bytes into `count` values of 4 bytes: those from `first` on, as many as `values`. */
void te_selftest_whole(void *input, uint32_t count, uint32_t values, int32_t first);

/* The same, times `scale`, as float. */
void te_selftest_real(void *input, uint32_t count, uint32_t values, int32_t first, float scale);

/* CRC-32 as in zlib; start with 0 and hand the result on to continue. */
uint32_t te_selftest_crc(uint32_t crc, const void *data, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
