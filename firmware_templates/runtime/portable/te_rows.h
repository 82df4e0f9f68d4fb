/* SPDX-License-Identifier: Apache-2.0 */
/* What layers that run as one stream of rows need besides their kernels. */
#ifndef TE_ROWS_H
#define TE_ROWS_H

#include <stdint.h>

/* Make room in a buffer of rows: `bytes` bytes move from `by` bytes above `to` to `to`. All are multiples of 4. */
void te_rows_slide(void *to, uint32_t by, uint32_t bytes);

/* Add up an int8 image [1][H][W][channels] row by row: `cells` is the W of the rows added at once. */
void te_rows_add_s8(const int8_t *rows, int32_t *sums, uint32_t cells, uint32_t channels);

/* The averages of `cells` values, halves away from zero, clamped. */
void te_rows_average_s8(const int32_t *sums, uint32_t channels, int32_t cells, int32_t low, int32_t high,
                        int8_t *output);

/* (sum + offset) * multiplier * 2^(shift - 31) + zero_point. shift in [-31, 30] */
void te_rows_rescale_s8(const int32_t *sums, uint32_t channels, int32_t offset, int32_t multiplier, int32_t shift,
                        int32_t zero_point, int8_t *output);

#endif
