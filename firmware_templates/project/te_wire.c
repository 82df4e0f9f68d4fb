/* SPDX-License-Identifier: Apache-2.0 */
#include "te_wire.h"

#include <stdint.h>

#include "te_bsp.h"
#include "te_protocol.h"

/* For what is called in many places: a copy in each would take a third of this file's code. */
#define ONE_COPY __attribute__((noinline))

#define CHECK_DIGITS 8
#define CHECK_BYTES (2 + CHECK_DIGITS) /* " ~" and the digits */

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- checksums ---- */

uint32_t te_crc32(uint32_t crc, const void *data, uint32_t bytes) {
  static const uint32_t table[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
                                     0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                     0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  const uint8_t *p = data;
  crc = ~crc;
  for (uint32_t i = 0; i < bytes; ++i) {
    crc ^= p[i];
    crc = (crc >> 4) ^ table[crc & 15u];
    crc = (crc >> 4) ^ table[crc & 15u];
  }
  return ~crc;
}

/* ---- receiving ---- */

static char received[TE_LINE_BYTES + 1];
static uint32_t received_count; /* more than TE_LINE_BYTES: the line is too long and is dropped at its end */

/* Whether the text ends in the checksum of what stands before it; cuts the checksum off. */
static int check_is_good(char *line, uint32_t count, uint32_t *check) {
  if (count < CHECK_BYTES || line[count - CHECK_BYTES] != TE_CHECK_MARK[0] ||
      line[count - CHECK_BYTES + 1] != TE_CHECK_MARK[1]) {
    return 0;
  }
  *check = te_crc32(0, line, count - CHECK_BYTES);
  for (uint32_t i = 0; i < CHECK_DIGITS; ++i) {
    if (line[count - CHECK_DIGITS + i] != hex_digits[(*check >> (28 - 4 * i)) & 15u]) {
      return 0;
    }
  }
  line[count - CHECK_BYTES] = '\0';
  return 1;
}

/* Take one complete line apart; 1 when it is a good request. */
static int parse_line(char *line, uint32_t count, te_request *request) {
  if (count > 0 && line[count - 1] == '\r') {
    --count;
  }
  if (count > TE_LINE_BYTES || !check_is_good(line, count, &request->check) || line[0] != TE_MARK_REQUEST) {
    return 0;
  }
  const char *words = line + 1;
  if (!te_take_u32(&words, &request->sequence) || request->sequence == 0 || request->sequence > 65535u ||
      *words != ' ') {
    return 0;
  }
  request->words = words + 1;
  return 1;
}

int te_wire_receive(te_request *request) {
  const int c = te_bsp_getc();
  if (c < 0) {
    return 0;
  }
  if (c == '\n') {
    const uint32_t count = received_count;
    received_count = 0;
    return count <= sizeof received && parse_line(received, count, request);
  }
  /* One byte more than a line is kept: a carriage return may stand before the line feed. */
  if (received_count < sizeof received) {
    received[received_count] = (char)c;
  }
  if (received_count <= sizeof received) {
    ++received_count;
  }
  return 0;
}

/* Where the next word starts: behind a blank, or right here at the first word. */
static const char *word_start(const char *words) {
  return *words == ' ' ? words + 1 : words;
}

static int is_word_end(char c) {
  return c == ' ' || c == '\0';
}

int te_take_word(const char **words, const char *word) {
  const char *p = word_start(*words);
  while (*word != '\0' && *p == *word) {
    ++p;
    ++word;
  }
  if (*word != '\0' || !is_word_end(*p)) {
    return 0;
  }
  *words = p;
  return 1;
}

int te_take_u32(const char **words, uint32_t *value) {
  const char *p = word_start(*words);
  uint32_t result = 0;
  if (is_word_end(*p)) {
    return 0;
  }
  for (; !is_word_end(*p); ++p) {
    if (*p < '0' || *p > '9') {
      return 0;
    }
    const uint32_t digit = (uint32_t)(*p - '0');
    if (result > (UINT32_MAX - digit) / 10u) {
      return 0;
    }
    result = result * 10u + digit;
  }
  *words = p;
  *value = result;
  return 1;
}

/* The six bits of a base64 digit, or 64 when it is none. */
static uint32_t base64_value(char digit) {
  const uint32_t c = (uint8_t)digit;
  const uint32_t letter = (c & ~32u) - 'A';
  if (letter < 26) {
    return letter + (c & 32u ? 26 : 0);
  }
  if (c - '0' < 10) {
    return c - '0' + 52;
  }
  return c == '+' ? 62 : c == '/' ? 63 : 64;
}

int te_take_base64(const char **words, uint8_t *bytes, uint32_t room, uint32_t *count) {
  const char *p = word_start(*words);
  uint32_t bits = 0;
  uint32_t bit_count = 0; /* of them not yet written: the lowest ones */
  uint32_t digits = 0;
  uint32_t written = 0;
  for (; !is_word_end(*p) && *p != '='; ++p) {
    const uint32_t value = base64_value(*p);
    if (value == 64) {
      return 0;
    }
    bits = bits << 6 | value;
    bit_count += 6;
    ++digits;
    if (bit_count >= 8) {
      if (written == room) {
        return 0;
      }
      bit_count -= 8;
      bytes[written++] = (uint8_t)(bits >> bit_count);
    }
  }
  uint32_t padding = 0;
  for (; *p == '='; ++p) {
    ++padding;
  }
  if (written == 0 || padding > 2 || (digits + padding) % 4 != 0 || !is_word_end(*p)) {
    return 0;
  }
  *words = p;
  *count = written;
  return 1;
}

/* ---- sending ---- */

static char line[TE_LINE_BYTES];
static uint32_t line_count; /* more than fits: the line is never sent, as half of it would be a lie */

static ONE_COPY void put(char c) {
  if (line_count < TE_LINE_BYTES) {
    line[line_count] = c;
  }
  if (line_count <= TE_LINE_BYTES) {
    ++line_count;
  }
}

/* The eight hexadecimal digits of a value. `letter_case` is 0 for capitals, ' ' for small letters: that bit is
 * set in all digits anyway. */
static void put_hex(uint32_t value, char letter_case) {
  for (uint32_t count = 8; count-- > 0;) {
    put((char)(hex_digits[(value >> (4 * count)) & 15u] | letter_case));
  }
}

ONE_COPY void te_line_text(const char *text) {
  while (*text != '\0') {
    put(*text++);
  }
}

void te_line_u32(const char *key, uint32_t value) {
  char digits[10];
  uint32_t count = 0;
  te_line_text(key);
  do {
    digits[count++] = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0);
  while (count > 0) {
    put(digits[--count]);
  }
}

void te_line_i32(const char *key, int32_t value) {
  uint32_t magnitude = (uint32_t)value;
  te_line_text(key);
  if (value < 0) {
    put('-');
    magnitude = 0u - magnitude;
  }
  te_line_u32("", magnitude);
}

void te_line_hex32(const char *key, uint32_t value) {
  te_line_text(key);
  put_hex(value, ' ');
}

void te_line_base64(const char *key, const uint8_t *bytes, uint32_t count) {
  te_line_text(key);
  for (uint32_t group = 0; group < count; group += 3) {
    uint32_t bits = 0;
    for (uint32_t i = group; i < group + 3; ++i) {
      bits = bits << 8 | (i < count ? bytes[i] : 0u);
    }
    for (uint32_t i = 0; i < 4; ++i) {
      put(group + i <= count ? base64_digits[(bits >> 18) & 63u] : '=');
      bits <<= 6;
    }
  }
}

void te_line_begin(char mark, uint32_t sequence) {
  line_count = 0;
  put(mark);
  te_line_u32("", sequence);
  put(' ');
}

void te_line_send(void) {
  const uint32_t count = line_count;
  const uint32_t check = te_crc32(0, line, count <= TE_LINE_BYTES ? count : 0);
  te_line_text(TE_CHECK_MARK);
  put_hex(check, 0);
  if (line_count <= TE_LINE_BYTES) {
    for (uint32_t i = 0; i < line_count; ++i) {
      te_bsp_putc(line[i]);
    }
    te_bsp_putc('\n');
  }
  line_count = count; /* as it was: it may be sent again */
}
