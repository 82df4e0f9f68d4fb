/* SPDX-License-Identifier: Apache-2.0 */
/* Samples in frames that `tinyedge collect` reads: a number and a checksum tell it what was lost on the way.
 *
 *     static uint8_t frame[TE_FRAME_BYTES(3, 10)];
 *     static uint16_t number;
 *     const uint32_t bytes = te_frame(frame, number++, samples, 3, 10);   // 10 samples of 3 axes, one after the other
 *     write all of `frame` to the serial line
 *
 * A frame, least significant byte first: 'T', 'E'; axes; rows; number (16 bits); axes * rows int16, a row after the
 * other; CRC-32 over all of that, as in zlib. Copy this file into your project: it needs nothing else.
 */
#ifndef TE_FRAME_H
#define TE_FRAME_H

#include <stdint.h>

#define TE_FRAME_MOST_AXES 32
#define TE_FRAME_MOST_ROWS 255
#define TE_FRAME_BYTES(axes, rows) (10 + 2 * (axes) * (rows))

/* Compose a frame of `rows` samples of each axis (for sound 1 axis) in TE_FRAME_BYTES(axes, rows) bytes; how many they
 * are, or 0 when there are too many axes or rows for a frame. */
static inline uint32_t te_frame(uint8_t *frame, uint16_t number, const int16_t *samples, uint32_t axes, uint32_t rows) {
  uint32_t at = 6;
  uint32_t crc = 0xFFFFFFFFu;
  if (axes == 0 || axes > TE_FRAME_MOST_AXES || rows == 0 || rows > TE_FRAME_MOST_ROWS) {
    return 0;
  }
  frame[0] = 'T';
  frame[1] = 'E';
  frame[2] = (uint8_t)axes;
  frame[3] = (uint8_t)rows;
  frame[4] = (uint8_t)(number & 255u);
  frame[5] = (uint8_t)(number >> 8);
  for (uint32_t i = 0; i < axes * rows; ++i) {
    const uint16_t value = (uint16_t)samples[i];
    frame[at++] = (uint8_t)(value & 255u);
    frame[at++] = (uint8_t)(value >> 8);
  }
  for (uint32_t i = 0; i < at; ++i) {
    crc ^= frame[i];
    for (uint32_t bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
  }
  crc = ~crc;
  for (uint32_t i = 0; i < 4; ++i) {
    frame[at++] = (uint8_t)((crc >> (8 * i)) & 255u);
  }
  return at;
}

#endif
