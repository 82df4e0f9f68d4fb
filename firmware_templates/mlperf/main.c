/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware for the runner of MLPerf Tiny (mlcommons/tiny, benchmark/runner), performance and accuracy mode:
 * commands end in `%`, every answer ends in a line `m-ready`. */
#include <stdint.h>

#include "te_board.h"
#include "te_bsp.h"
#include "te_image.h"
#include "te_mlperf.h"
#include "te_models.h"
#include "te_startup.h"

#define COMMAND_BYTES 80u
#define TICKS_PER_US (TE_CLOCK_HZ / 1000000u)
#define PRINTED_BYTES 8u
#define DEFAULT_WARMUPS 10u
#define DECIMALS 1000 /* of a result: three */

static const te_model_info *model;
static uint8_t buffer[TE_MLPERF_BUFFER_BYTES] __attribute__((aligned(4)));
static uint32_t buffer_size; /* bytes that `db load` announced */
static uint32_t buffer_count;

/* ---- sending ---- */

static void send(const char *text) {
  while (*text != '\0') {
    te_bsp_putc(*text++);
  }
}

static void send_u32(uint32_t value) {
  char digits[11];
  char *digit = &digits[10];
  *digit = '\0';
  do {
    *--digit = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0);
  send(digit);
}

/* "before value after", and the end of the line. */
static void send_number(const char *before, uint32_t value, const char *after) {
  send(before);
  send_u32(value);
  send(after);
  send("\r\n");
}

static void send_hex(uint8_t byte) {
  static const char digits[] = "0123456789abcdef";
  te_bsp_putc(digits[byte >> 4]);
  te_bsp_putc(digits[byte & 15u]);
}

/* A value with three decimals. */
static void send_value(float value) {
  if (value < 0.0f) {
    te_bsp_putc('-');
    value = -value;
  }
  const uint32_t scaled = value < 4.0e6f ? (uint32_t)(value * (float)DECIMALS + 0.5f) : UINT32_MAX;
  send_u32(scaled / DECIMALS);
  te_bsp_putc('.');
  for (uint32_t unit = DECIMALS / 10; unit > 0; unit /= 10) {
    te_bsp_putc((char)('0' + scaled / unit % 10u));
  }
}

/* ---- time ---- */

static uint32_t microseconds; /* since the start, as far as `pass_time` was called often enough for the counter */
static uint32_t ticks_left;
static uint32_t ticks_before;

static void pass_time(void) {
  const uint32_t now = te_bsp_cycles();
  const uint32_t passed = now - ticks_before;
  ticks_before = now;
  microseconds += passed / TICKS_PER_US;
  ticks_left += passed % TICKS_PER_US;
  if (ticks_left >= TICKS_PER_US) {
    ticks_left -= TICKS_PER_US;
    ++microseconds;
  }
}

static void send_timestamp(void) {
  pass_time();
  send_number("m-lap-us-", microseconds, "");
}

/* ---- the model ---- */

#ifdef TE_MLPERF_FLOAT_INPUT
static float float_input(uint32_t i) {
  union {
    uint8_t bytes[4];
    float value;
  } from;
  for (uint32_t at = 0; at < 4; ++at) {
    from.bytes[at] = buffer[4 * i + at];
  }
  return from.value;
}

/* The nearest whole number, halves away from 0, of what fits an int8. */
static int32_t rounded(float value) {
  if (!(value > -1000.0f)) {
    return -1000;
  }
  if (value > 1000.0f) {
    return 1000;
  }
  return (int32_t)(value < 0.0f ? value - 0.5f : value + 0.5f);
}
#endif

static void load_input(void) {
  int8_t *input = model->input(0);
  for (uint32_t i = 0; i < TE_MLPERF_INPUT_COUNT; ++i) {
#ifdef TE_MLPERF_FLOAT_INPUT
    const int32_t value = rounded(float_input(i) / TE_MLPERF_INPUT_SCALE) + TE_MLPERF_INPUT_ZERO_POINT;
    input[i] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
#elif defined(TE_MLPERF_SUBTRACTED)
    input[i] = (int8_t)(uint8_t)(buffer[i] - TE_MLPERF_SUBTRACTED);
#else
    input[i] = (int8_t)buffer[i];
#endif
  }
}

static float output_value(uint32_t i) {
  const int8_t *output = model->output(0);
  return (float)(output[i] - TE_MLPERF_OUTPUT_ZERO_POINT) * TE_MLPERF_OUTPUT_SCALE;
}

static void send_results(void) {
  send("m-results-[");
#ifdef TE_MLPERF_FLOAT_INPUT
  float sum = 0.0f;
  for (uint32_t i = 0; i < TE_MLPERF_OUTPUT_COUNT; ++i) {
    const float difference = output_value(i) - float_input(i);
    sum += difference * difference;
  }
  send_value(sum / (float)TE_MLPERF_OUTPUT_COUNT);
#else
  for (uint32_t i = 0; i < TE_MLPERF_OUTPUT_COUNT; ++i) {
    if (i > 0) {
      te_bsp_putc(',');
    }
    send_value(output_value(i));
  }
#endif
  send("]\r\n");
}

/* The counter of cycles must not wrap twice between two looks. */
static int infer_often(uint32_t count) {
  int error = 0;
  while (count-- > 0) {
    error |= model->invoke();
    pass_time();
  }
  return error;
}

/* The plan keeps inputs, so that they are loaded once for all inferences. */
static void infer(uint32_t count, uint32_t warmups) {
  load_input();
  send_number("m-warmup-start-", warmups, "");
  int error = infer_often(warmups);
  send("m-warmup-done\r\n");
  send_number("m-infer-start-", count, "");
  send_timestamp();
  error |= infer_often(count);
  send_timestamp();
  if (error != 0) {
    send("e-[Inference failed]\r\n");
    return;
  }
  send("m-infer-done\r\n");
  send_results();
}

/* ---- commands ---- */

/* Takes `word` off the front of the command, and the blanks behind it. */
static int take(const char **command, const char *word) {
  const char *p = *command;
  for (; *word != '\0'; ++word, ++p) {
    if (*p != *word) {
      return 0;
    }
  }
  if (*p != ' ' && *p != '\0') {
    return 0;
  }
  while (*p == ' ') {
    ++p;
  }
  *command = p;
  return 1;
}

/* A decimal number, 0 when there is none or it is below 0; `*found` says whether there was a word at all. */
static uint32_t take_number(const char **command, int *found) {
  const char *p = *command;
  uint32_t value = 0;
  *found = *p != '\0';
  for (; *p >= '0' && *p <= '9'; ++p) {
    value = value < 100000000u ? value * 10u + (uint32_t)(*p - '0') : value;
  }
  while (*p != ' ' && *p != '\0') {
    value = 0; /* no number */
    ++p;
  }
  while (*p == ' ') {
    ++p;
  }
  *command = p;
  return value;
}

static int32_t hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = (char)(c | ' ');
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void take_bytes(const char *digits) {
  uint32_t count = 0;
  while (digits[count] != '\0' && digits[count] != ' ') {
    ++count;
  }
  if ((count & 1u) != 0) {
    send("e-[Insufficent number of hex digits]\r\n");
    return;
  }
  for (; count > 0 && buffer_count < buffer_size; count -= 2, digits += 2) {
    const int32_t high = hex_digit(digits[0]), low = hex_digit(digits[1]);
    if (high < 0 || low < 0) {
      const char pair[] = {digits[0], digits[1], '\0'};
      send("e-[Invalid hex digit '");
      send(pair);
      send("']\r\n");
      return;
    }
    buffer[buffer_count++] = (uint8_t)(high << 4 | low);
    if (buffer_count == buffer_size) {
      send("m-load-done\r\n");
    }
  }
}

static void print_buffer(void) {
  for (uint32_t i = 0; i < buffer_count; ++i) {
    send(i % PRINTED_BYTES == 0 ? "m-buffer-" : "-");
    send_hex(buffer[i]);
    if (i % PRINTED_BYTES == PRINTED_BYTES - 1 || i + 1 == buffer_count) {
      send("\r\n");
    }
  }
}

static void load_buffer(const char *words) {
  int found;
  const uint32_t size = take_number(&words, &found);
  buffer_size = 0;
  buffer_count = 0;
  if (!found) {
    send("e-[Command 'db load' requires the # of bytes]\r\n");
  } else if (size == 0) {
    send("e-[Command 'db load' must be >0 bytes]\r\n");
  } else if (size > sizeof buffer) {
    send("e-[Supplied buffer size ");
    send_u32(size);
    send_number(" exceeds maximum of ", sizeof buffer, "]");
  } else {
    buffer_size = size;
    send_number("m-[Expecting ", size, " bytes]");
  }
}

static void manipulate_buffer(const char *words) {
  if (*words == '\0') {
    send("e-[Command 'db' requires a subcommand]\r\n");
  } else if (take(&words, "load")) {
    load_buffer(words);
  } else if (take(&words, "print")) {
    print_buffer();
  } else {
    take_bytes(words);
  }
}

static void ask_for_inference(const char *words) {
  int found;
  uint32_t count = take_number(&words, &found);
  if (found && count == 0) {
    send("e-[Inference iterations must be >0]\r\n");
    return;
  }
  count = found ? count : 1u;
  const int below_0 = *words == '-';
  const uint32_t warmups = take_number(&words, &found);
  if (below_0) {
    send("e-[Inference warmup must be >=0]\r\n");
  } else if (buffer_count < TE_MLPERF_BUFFER_BYTES) {
    send("e-[Input db has ");
    send_u32(buffer_count);
    send_number(" bytes, expected ", TE_MLPERF_BUFFER_BYTES, "]");
  } else {
    infer(count, found ? warmups : DEFAULT_WARMUPS);
  }
}

static void answer(const char *command) {
  const char *words = command;
  if (take(&words, "name")) {
    send("m-name-dut-[" TE_BOARD_NAME "]\r\n");
  } else if (take(&words, "timestamp")) {
    send_timestamp();
  } else if (take(&words, "profile")) {
    send("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[" TE_MLPERF_MODEL "]\r\n");
  } else if (take(&words, "db")) {
    manipulate_buffer(words);
  } else if (take(&words, "infer")) {
    ask_for_inference(words);
  } else if (take(&words, "results")) {
    send_results();
  } else if (take(&words, "help")) {
    send("tinyedge " TE_IMAGE_ID ": name, profile, timestamp, db load N, db HEX, db print, infer N [W], results\r\n");
  } else {
    send("e-[Unknown command: ");
    send(command);
    send("]\r\n");
  }
}

_Noreturn void te_fault(uint32_t pc, uint32_t lr, uint32_t status) {
  (void)lr;
  (void)status;
  send_number("\r\ne-[Fault at ", pc, "]");
  te_bsp_halt(1);
}

int main(void) {
  static char command[COMMAND_BYTES + 1];
  uint32_t count = 0;
  te_bsp_init();
  model = te_models[0];
  const int error = model->init();
  send("m-timestamp-mode-performance\r\n");
  send_timestamp();
  if (error != 0) {
    send("e-[The model cannot be initialised]\r\n");
  }
  send("m-init-done\r\nm-ready\r\n");
  for (;;) {
    const int c = te_bsp_getc();
    if (c < 0 || c == '\r' || c == '\n') {
      continue;
    }
    if (c != '%') {
      command[count] = (char)c;
      count += count < COMMAND_BYTES;
      continue;
    }
    command[count] = '\0';
    count = 0;
    answer(command);
    send("m-ready\r\n");
  }
}
