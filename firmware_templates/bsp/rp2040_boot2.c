/* SPDX-License-Identifier: Apache-2.0 */
/* The second stage of the RP2040's boot, in source: it turns the flash to fast reads and goes on to the vector table
 * behind it. The boot ROM copies these 256 bytes to the end of RAM, checks the CRC in their last word, and jumps to the
 * first byte. They cannot be compiled with the rest, as the CRC is of machine code: te_rp2040_boot2.c holds the
 * result, and a test compiles this file and compares.
 *
 * Flash: Winbond W25Q and its like, read by EBh, fast read quad I/O, in continuous mode: 24 bits of address, 8 of mode,
 * 4 dummy clocks. W25Q16JV data sheet, 7.1 status registers, 8.2.11 EBh.
 * RP2040 data sheet, 2.8.1.3 second stage, 4.10 SSI, 2.19.6.4 QSPI pads. */
#include <stdint.h>

#define REG32(address) (*(volatile uint32_t *)(address))

#define PADS_QSPI_SCLK 0x40020004u
#define SCLK_8_MA_FAST 0x21u
#define PADS_QSPI_SD(n) (0x40020008u + 4u * (n))
#define SD_SCHMITT 2u /* the hysteresis would delay the data */

#define SSI(offset) REG32(0x18000000u + (offset))
#define CTRLR0 0x00u
#define CTRLR0_8_BIT 0x00070000u
#define CTRLR0_QUAD_READ_32_BIT 0x005F0300u
#define CTRLR1 0x04u
#define SSIENR 0x08u
#define BAUDR 0x14u
#define DIVIDER_FOR_COMMANDS 16u /* slow enough for the loop that feeds the queue */
#define DIVIDER_FOR_READS 2u     /* at 125 MHz a clock of 62.5 MHz; the flash may take 133 MHz */
#define SR 0x28u
#define SR_BUSY 1u
#define SR_TX_EMPTY 4u
#define DR0 0x60u
#define RX_SAMPLE_DLY 0xF0u
#define SPI_CTRLR0 0xF4u
#define COMMAND_THEN_QUAD_ADDRESS 0x00002221u
#define QUAD_ADDRESS_ALONE 0xA0002022u /* mode bits A0h behind the address: the next read needs no command */

#define READ_QUAD 0xEBu
#define MODE_CONTINUOUS 0xA0u
#define READ_STATUS 0x05u
#define STATUS_BUSY 1u
#define READ_STATUS2 0x35u
#define STATUS2_QUAD_ENABLED 2u
#define WRITE_ENABLE 0x06u
#define WRITE_STATUS 0x01u

#define VTOR 0xE000ED08u
#define VECTORS 0x10000100u

static void wait_sent(void) {
  while ((SSI(SR) & (SR_TX_EMPTY | SR_BUSY)) != SR_TX_EMPTY) {
  }
}

/* Send bytes, the lowest first, without a pause, as an empty queue ends the command. Gives what came back last. */
static __attribute__((noinline)) uint32_t command(uint32_t bytes, uint32_t count) {
  uint32_t received = 0;
  for (uint32_t i = 0; i < count; ++i) {
    SSI(DR0) = bytes >> 8 * i & 0xFFu;
  }
  wait_sent();
  for (uint32_t i = 0; i < count; ++i) {
    received = SSI(DR0);
  }
  return received;
}

/* The flash keeps this bit, so it is written once in the life of a board. */
static void enable_quad(void) {
  if ((command(READ_STATUS2, 2) & STATUS2_QUAD_ENABLED) == 0) {
    command(WRITE_ENABLE, 1);
    command(STATUS2_QUAD_ENABLED << 16 | WRITE_STATUS, 3);
    while ((command(READ_STATUS, 2) & STATUS_BUSY) != 0) {
    }
  }
}

__attribute__((naked, section(".start"))) void start(void) {
  __asm volatile("b boot");
}

__attribute__((used, noreturn)) void boot(void) {
  REG32(PADS_QSPI_SCLK) = SCLK_8_MA_FAST;
  for (uint32_t n = 0; n < 4; ++n) {
    REG32(PADS_QSPI_SD(n)) &= ~SD_SCHMITT;
  }
  SSI(SSIENR) = 0;
  SSI(BAUDR) = DIVIDER_FOR_COMMANDS;
  SSI(RX_SAMPLE_DLY) = 1;
  SSI(CTRLR0) = CTRLR0_8_BIT;
  SSI(SSIENR) = 1;
  enable_quad();
  SSI(SSIENR) = 0;
  SSI(BAUDR) = DIVIDER_FOR_READS;
  SSI(CTRLR0) = CTRLR0_QUAD_READ_32_BIT;
  SSI(CTRLR1) = 0;
  SSI(SPI_CTRLR0) = COMMAND_THEN_QUAD_ADDRESS;
  SSI(SSIENR) = 1;
  SSI(DR0) = READ_QUAD; /* one read that nobody looks at puts the flash into continuous mode */
  SSI(DR0) = MODE_CONTINUOUS;
  wait_sent();
  SSI(SSIENR) = 0;
  SSI(SPI_CTRLR0) = QUAD_ADDRESS_ALONE;
  SSI(SSIENR) = 1;
  REG32(VTOR) = VECTORS;
  __asm volatile("msr msp, %0\n\tbx %1" : : "r"(REG32(VECTORS)), "r"(REG32(VECTORS + 4u)));
  __builtin_unreachable();
}
