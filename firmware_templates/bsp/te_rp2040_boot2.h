/* SPDX-License-Identifier: Apache-2.0 */
/* The second stage of the RP2040's boot, which must be the first 256 bytes of its flash. */
#ifndef TE_RP2040_BOOT2_H
#define TE_RP2040_BOOT2_H

#include <stdint.h>

extern const uint32_t te_rp2040_boot2[64];

#endif
