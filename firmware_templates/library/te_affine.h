/* SPDX-License-Identifier: Apache-2.0 */
/* Between real values and the integers that a quantized tensor holds: real = scale * (q - zero_point). The same for
 * every model. */
#ifndef TE_AFFINE_H
#define TE_AFFINE_H

#include <stdint.h>

/* Far outside of int16 with any zero point, and small enough for float to be exact. */
#define TE_AFFINE_FAR 1048576.0f

/* The integer in [lowest, highest] that stands for `value`: the nearest, halves away from zero; not-a-number becomes
 * the zero point. The result is that of TensorFlow Lite's QUANTIZE. */
static inline int32_t te_affine_quantize(float value, float scale, int32_t zero_point, int32_t lowest,
                                         int32_t highest) {
  const float steps = value / scale;
  int32_t q = 0;
  if (steps >= TE_AFFINE_FAR) {
    q = (int32_t)TE_AFFINE_FAR;
  } else if (steps <= -TE_AFFINE_FAR) {
    q = -(int32_t)TE_AFFINE_FAR;
  } else if (steps > -TE_AFFINE_FAR) { /* false for not-a-number */
    q = (int32_t)steps;
    const float rest = steps - (float)q; /* exact */
    q += (rest >= 0.5f) - (rest <= -0.5f);
  }
  q += zero_point;
  return q < lowest ? lowest : q > highest ? highest : q;
}

/* The real value that `q` stands for. */
static inline float te_affine_dequantize(int32_t q, float scale, int32_t zero_point) {
  return scale * (float)(q - zero_point);
}

#endif
