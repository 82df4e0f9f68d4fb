/* SPDX-License-Identifier: Apache-2.0 */
/* This computer (POSIX): the console is stdin and stdout, the cycle counter a clock of 10 ns. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "te_board.h"
#include "te_bsp.h"
#include "te_startup.h"

int main(void);

static char sent[512];
static size_t sent_count;

/* Hand what was collected to stdout; a host that has gone ends the firmware. */
static void flush(void) {
  size_t done = 0;
  while (done < sent_count) {
    const ssize_t count = write(STDOUT_FILENO, sent + done, sent_count - done);
    if (count <= 0) {
      _Exit(1);
    }
    done += (size_t)count;
  }
  sent_count = 0;
}

void te_bsp_init(void) {}

void te_bsp_putc(char c) {
  sent[sent_count++] = c;
  if (c == '\n' || sent_count == sizeof sent) {
    flush();
  }
}

/* Waits for a byte, as there is nothing else to do; the end of stdin ends the firmware. */
int te_bsp_getc(void) {
  static unsigned char received[512];
  static ssize_t count;
  static ssize_t next;
  if (next == count) {
    flush();
    count = read(STDIN_FILENO, received, sizeof received);
    next = 0;
    if (count <= 0) {
      te_bsp_halt(count == 0 ? 0 : 1);
    }
  }
  return received[next++];
}

__attribute__((noinline)) uint32_t te_bsp_cycles(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)now.tv_sec * TE_CLOCK_HZ + (uint32_t)now.tv_nsec / (1000000000u / TE_CLOCK_HZ);
}

_Noreturn void te_bsp_halt(int code) {
  flush();
  exit(code);
}

/* The memory of a process says nothing of a board's. */
uint32_t te_stack_size(void) {
  return 0;
}
uint32_t te_stack_peak(void) {
  return 0;
}
uint32_t te_ram_static(void) {
  return 0;
}
