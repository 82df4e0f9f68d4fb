/* SPDX-License-Identifier: Apache-2.0 */
/* Copying and filling with Helium. */
#ifndef TE_COPY_MVE_H
#define TE_COPY_MVE_H

#include <arm_mve.h>
#include <stdint.h>

/* Copy `size` bytes upwards: `to` may overlap what lies behind it. Words are copied sixteen at a time. */
static inline void te_copy_mve(int8_t *to, const int8_t *from, uint32_t size) {
  uint32_t blocks = size / 64;
  if (blocks && (((uintptr_t)to | (uintptr_t)from) & 3u) == 0) {
    size %= 64;
    __asm volatile("1:\n\t"
                   "vldm %0!, {d0-d7}\n\t"
                   "vstm %1!, {d0-d7}\n\t"
                   "subs %2, %2, #1\n\t"
                   "bne 1b"
                   : "+r"(from), "+r"(to), "+r"(blocks)
                   :
                   : "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "cc", "memory");
  }
  for (; size >= 16; size -= 16) {
    vstrbq_s8(to, vldrbq_s8(from));
    from += 16;
    to += 16;
  }
  if (size) {
    const mve_pred16_t some = vctp8q(size);
    vstrbq_p_s8(to, vldrbq_z_s8(from, some), some);
  }
}

static inline void te_fill_mve(int8_t *to, int8_t value, uint32_t size) {
  const int8x16_t values = vdupq_n_s8(value);
  for (; size >= 16; size -= 16) {
    vstrbq_s8(to, values);
    to += 16;
  }
  if (size) {
    vstrbq_p_s8(to, values, vctp8q(size));
  }
}

#endif
