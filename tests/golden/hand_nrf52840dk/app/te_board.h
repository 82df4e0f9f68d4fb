/* SPDX-License-Identifier: Apache-2.0 */
/* Nordic nRF52840 DK (PCA10056); generated from boards/nrf52840dk.toml. */
#ifndef TE_BOARD_H
#define TE_BOARD_H

#define TE_BOARD_NAME "nrf52840dk"
#define TE_CLOCK_HZ 64000000u /* of the counter that te_bsp_cycles reads */
#define TE_CONSOLE_BASE 0x40002000u
#define TE_CONSOLE_BAUD 115200
#define TE_CONSOLE_RX_PORT 0u
#define TE_CONSOLE_RX_PIN 8u
#define TE_CONSOLE_TX_PORT 0u
#define TE_CONSOLE_TX_PIN 6u

#endif
