/* SPDX-License-Identifier: Apache-2.0 */
/* Motion: statistics of each axis over a window, or the samples themselves. */
#ifndef TE_IMU_H
#define TE_IMU_H

#include <stdint.h>

#include "te_bands.h"
#include "te_normalize.h"

/* What is computed of an axis. */
enum {
  TE_IMU_RAW,             /* the sample; the window is one instant */
  TE_IMU_MEAN,            /* rounded */
  TE_IMU_DEVIATION,       /* the standard deviation, rounded */
  TE_IMU_MEAN_DIFFERENCE, /* the mean of |sample - the one before|, rounded and saturated */
  TE_IMU_RMS,             /* the root of the mean square, rounded and saturated */
  TE_IMU_MIN,
  TE_IMU_MAX,
  TE_IMU_CROSSINGS, /* how often the signal crosses its mean, in steps of 1 / 32767 of the most there can be */
  TE_IMU_BANDS      /* te_bands */
};

/* window      instants, 1 to 2048
 * statistics  [count], in the order of the values: of all axes first the one, then the next */
typedef struct {
  uint32_t window;
  uint32_t axes;
  uint32_t count;
  const uint8_t *statistics;
  te_bands_params bands;
  te_normalize_params normalize;
} te_imu_params;

/* scratch  int32, as te_bands takes it; null without bands
 * samples  [window][axes]
 * values   for each statistic [axes], for bands [axes][bands.count] */
void te_imu_frame(const te_imu_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values);

#endif
