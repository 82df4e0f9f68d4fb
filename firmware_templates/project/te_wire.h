/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the serial protocol: receiving and checking requests, taking them apart, composing and sending replies. */
#ifndef TE_WIRE_H
#define TE_WIRE_H

#include <stdint.h>

/* One good request. `check` is its checksum, which with the number tells a repeated request from a new one. */
typedef struct {
  uint32_t sequence; /* 1..65535 */
  uint32_t check;
  const char *words; /* behind the number; valid until the next te_wire_receive */
} te_request;

/* Take what the console received; 1 when that completed a good request. Noise is dropped in silence. */
int te_wire_receive(te_request *request);

/* Take words off the front of `*words`, one blank before each but the first. 1, or 0 and `*words` unmoved. */
int te_take_word(const char **words, const char *word);
int te_take_u32(const char **words, uint32_t *value);
/* Base64 with padding, at most `room` bytes; `*count` bytes are written. */
int te_take_base64(const char **words, uint8_t *bytes, uint32_t room, uint32_t *count);
/* 1 when nothing is left. */
static inline int te_at_end(const char *words) {
  return *words == '\0';
}

/* Compose a line; te_line_send adds the checksum and sends. The line stays, so te_line_send may be called again. */
void te_line_begin(char mark, uint32_t sequence);
void te_line_text(const char *text);
void te_line_u32(const char *key, uint32_t value);
void te_line_i32(const char *key, int32_t value);
void te_line_hex32(const char *key, uint32_t value);
void te_line_base64(const char *key, const uint8_t *bytes, uint32_t count);
void te_line_send(void);

/* CRC-32 as in zlib; start with 0 and hand the result on to continue. */
uint32_t te_crc32(uint32_t crc, const void *data, uint32_t bytes);

#endif
