/* SPDX-License-Identifier: Apache-2.0 */
#include "te_picture.h"

typedef struct {
  uint32_t red;
  uint32_t green;
  uint32_t blue;
} color;

static inline uint32_t clamped(int32_t x) {
  return (uint32_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* Five or six bits spread over eight: the highest ones are repeated below. */
static inline color of_565(uint32_t word) {
  const uint32_t red = word >> 11;
  const uint32_t green = (word >> 5) & 63u;
  const uint32_t blue = word & 31u;
  const color c = {red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2};
  return c;
}

/* Y, U and V of 0 to 255 (JPEG's), ITU-R BT.601. */
static inline color of_yuv(int32_t y, int32_t u, int32_t v) {
  u -= 128;
  v -= 128;
  const color c = {clamped(y + ((359 * v + 128) >> 8)), clamped(y + ((-88 * u - 183 * v + 128) >> 8)),
                   clamped(y + ((454 * u + 128) >> 8))};
  return c;
}

static inline uint32_t grey_of(color c) {
  return (77u * c.red + 150u * c.green + 29u * c.blue + 128u) >> 8;
}

static color pixel(const te_picture_params *p, const uint8_t *samples, uint32_t y, uint32_t x) {
  const uint32_t at = y * p->width + x;
  const uint8_t *two = samples + 2 * at;
  const uint8_t *four = samples + 4 * (at / 2);
  switch (p->format) {
  case TE_PICTURE_RGB: {
    const color c = {samples[3 * at], samples[3 * at + 1], samples[3 * at + 2]};
    return c;
  }
  case TE_PICTURE_RGB565:
    return of_565((uint32_t)two[0] << 8 | two[1]);
  case TE_PICTURE_RGB565_LITTLE:
    return of_565((uint32_t)two[1] << 8 | two[0]);
  case TE_PICTURE_YUYV:
    return of_yuv(two[0], four[1], four[3]);
  case TE_PICTURE_UYVY:
    return of_yuv(two[1], four[0], four[2]);
  default: {
    const color c = {samples[at], samples[at], samples[at]};
    return c;
  }
  }
}

/* Brightness; a byte of its own in grey and YUV pictures. */
static uint32_t brightness(const te_picture_params *p, const uint8_t *samples, uint32_t y, uint32_t x) {
  const uint32_t at = y * p->width + x;
  switch (p->format) {
  case TE_PICTURE_GREY:
    return samples[at];
  case TE_PICTURE_YUYV:
    return samples[2 * at];
  case TE_PICTURE_UYVY:
    return samples[2 * at + 1];
  default:
    return grey_of(pixel(p, samples, y, x));
  }
}

/* The weighted sum of the pixels that one of the result covers: Q8 in a row, then rounded to whole numbers. */
static color resized(const te_picture_params *p, const uint8_t *samples, uint32_t row, uint32_t column) {
  const uint16_t *down = p->rows.weights + row * p->rows.taps;
  const uint16_t *across = p->columns.weights + column * p->columns.taps;
  color sum = {0, 0, 0};
  for (uint32_t i = 0; i < p->rows.taps; ++i) {
    const uint32_t y = p->rows.starts[row] + i;
    color line = {8, 8, 8};
    if (down[i] == 0) {
      continue;
    }
    for (uint32_t j = 0; j < p->columns.taps; ++j) {
      const uint32_t x = p->columns.starts[column] + j;
      if (across[j] == 0) {
        continue;
      }
      if (p->colors == 1) {
        line.red += across[j] * brightness(p, samples, y, x);
      } else {
        const color c = pixel(p, samples, y, x);
        line.red += across[j] * c.red;
        line.green += across[j] * c.green;
        line.blue += across[j] * c.blue;
      }
    }
    sum.red += down[i] * (line.red >> 4);
    sum.green += down[i] * (line.green >> 4);
    sum.blue += down[i] * (line.blue >> 4);
  }
  const uint32_t half = UINT32_C(1) << (TE_PICTURE_WEIGHT_BITS + 7);
  const color result = {(sum.red + half) >> (TE_PICTURE_WEIGHT_BITS + 8),
                        (sum.green + half) >> (TE_PICTURE_WEIGHT_BITS + 8),
                        (sum.blue + half) >> (TE_PICTURE_WEIGHT_BITS + 8)};
  return result;
}

static int16_t value_of(const te_picture_params *p, uint32_t level) {
  return (int16_t)(p->factor * (int32_t)level + p->offset);
}

void te_picture_frame(const te_picture_params *p, void *state, void *scratch, const uint8_t *samples, int16_t *values) {
  (void)state;
  (void)scratch;
  for (uint32_t row = 0; row < p->rows.size; ++row) {
    for (uint32_t column = 0; column < p->columns.size; ++column) {
      const color c = resized(p, samples, row, column);
      *values++ = value_of(p, c.red);
      if (p->colors == 3) {
        *values++ = value_of(p, c.green);
        *values++ = value_of(p, c.blue);
      }
    }
  }
}
