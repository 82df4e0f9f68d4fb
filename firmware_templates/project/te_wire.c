#include "te_wire.h"

#include <stdint.h>

#include "te_bsp.h"
#include "te_protocol.h"

#define CHECK_BYTES 6 /* " ~" and four hex digits */

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- checksums ---- */

/* CRC-16/CCITT-FALSE, half a byte at a time: a table of 16 entries is quick enough for a serial line. */
static uint32_t crc16(const char *text, uint32_t count) {
  static const uint16_t table[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
                                     0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF};
  uint32_t crc = 0xFFFFu;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t byte = (uint8_t)text[i];
    crc = ((crc << 4) & 0xFFFFu) ^ table[(crc >> 12) ^ (byte >> 4)];
    crc = ((crc << 4) & 0xFFFFu) ^ table[(crc >> 12) ^ (byte & 15u)];
  }
  return crc;
}

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
  if (count < CHECK_BYTES || line[count - 6] != TE_CHECK_MARK[0] || line[count - 5] != TE_CHECK_MARK[1]) {
    return 0;
  }
  *check = crc16(line, count - CHECK_BYTES);
  for (uint32_t i = 0; i < 4; ++i) {
    if (line[count - 4 + i] != hex_upper[(*check >> (12 - 4 * i)) & 15u]) {
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
  if (!te_take_u32(&words, &request->sequence) || request->sequence == 0 || request->sequence > 65535u || *words != ' ') {
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

int te_at_end(const char *words) { return *words == '\0'; }

/* Where the next word starts: behind a blank, or right here at the first word. */
static const char *word_start(const char *words) { return *words == ' ' ? words + 1 : words; }

static int is_word_end(char c) { return c == ' ' || c == '\0'; }

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
  uint32_t value = 0;
  while (value < 64 && base64_digits[value] != digit) {
    ++value;
  }
  return value;
}

/* Decode the four digits at `p`; the number of bytes (1 to 3), or 0 when they are malformed. */
static uint32_t base64_group(const char *p, uint8_t bytes[3]) {
  uint32_t bits = 0;
  uint32_t digits = 0;
  while (digits < 4 && !is_word_end(p[digits]) && p[digits] != '=') {
    const uint32_t value = base64_value(p[digits]);
    if (value == 64) {
      return 0;
    }
    bits |= value << (18 - 6 * digits);
    ++digits;
  }
  for (uint32_t i = digits; i < 4; ++i) {
    if (p[i] != '=') { /* a word that ends early stops here, before anything behind it is read */
      return 0;
    }
  }
  bytes[0] = (uint8_t)(bits >> 16);
  bytes[1] = (uint8_t)(bits >> 8);
  bytes[2] = (uint8_t)bits;
  return digits < 2 ? 0 : digits - 1;
}

int te_take_base64(const char **words, uint8_t *bytes, uint32_t room, uint32_t *count) {
  const char *p = word_start(*words);
  uint32_t written = 0;
  uint32_t group_bytes = 3;
  while (!is_word_end(*p)) {
    uint8_t group[3];
    if (group_bytes < 3) { /* padding in the middle */
      return 0;
    }
    group_bytes = base64_group(p, group);
    if (group_bytes == 0 || group_bytes > room - written) {
      return 0;
    }
    for (uint32_t i = 0; i < group_bytes; ++i) {
      bytes[written++] = group[i];
    }
    p += 4;
  }
  if (written == 0) {
    return 0;
  }
  *words = p;
  *count = written;
  return 1;
}

/* ---- sending ---- */

static char line[TE_LINE_BYTES + 1];
static uint32_t line_count; /* more than fits: the line is never sent, as half of it would be a lie */

static void put(char c) {
  if (line_count < TE_LINE_BYTES) {
    line[line_count] = c;
  }
  if (line_count <= TE_LINE_BYTES) {
    ++line_count;
  }
}

void te_line_text(const char *text) {
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
  te_line_text(key);
  if (value < 0) {
    put('-');
  }
  te_line_u32("", value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void te_line_hex32(const char *key, uint32_t value) {
  te_line_text(key);
  for (uint32_t shift = 32; shift > 0; shift -= 4) {
    put(hex_lower[(value >> (shift - 4)) & 15u]);
  }
}

void te_line_base64(const char *key, const uint8_t *bytes, uint32_t count) {
  te_line_text(key);
  for (uint32_t i = 0; i < count; i += 3) {
    const uint32_t left = count - i;
    const uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0u) |
                          (left > 2 ? (uint32_t)bytes[i + 2] : 0u);
    put(base64_digits[bits >> 18]);
    put(base64_digits[(bits >> 12) & 63u]);
    put(left > 1 ? base64_digits[(bits >> 6) & 63u] : '=');
    put(left > 2 ? base64_digits[bits & 63u] : '=');
  }
}

void te_line_begin(char mark, uint32_t sequence) {
  line_count = 0;
  put(mark);
  te_line_u32("", sequence);
  put(' ');
}

void te_line_send(void) {
  if (line_count + CHECK_BYTES > TE_LINE_BYTES) {
    return;
  }
  const uint32_t check = crc16(line, line_count);
  for (uint32_t i = 0; i < line_count; ++i) {
    te_bsp_putc(line[i]);
  }
  te_bsp_putc(TE_CHECK_MARK[0]);
  te_bsp_putc(TE_CHECK_MARK[1]);
  for (uint32_t shift = 16; shift > 0; shift -= 4) {
    te_bsp_putc(hex_upper[(check >> (shift - 4)) & 15u]);
  }
  te_bsp_putc('\n');
}
