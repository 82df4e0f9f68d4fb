/* SPDX-License-Identifier: Apache-2.0 */
#include "te_streaming.h"

#include <stdint.h>

#include "te_bsp.h"
#include "te_protocol.h"
#include "te_stream.h"
#include "te_wire.h"

/* What a signal has given since it began; checksums go on over all rows, outputs and results. */
static struct {
  const te_stream *stream;
  uint32_t fed; /* bytes */
  uint32_t rows;
  uint32_t runs;
  uint32_t row_crc;
  uint32_t out_crc;
  uint32_t heard_crc;
  uint32_t ticks; /* since they were told last */
  uint32_t network_ticks;
  uint32_t last; /* what the counter was when the work that is measured went on */
} played;

/* Ticks since the last call; what the firmware does itself between the two calls for a step is left out. */
static uint32_t lap(void) {
  const uint32_t ticks = te_bsp_cycles() - played.last;
  played.ticks += ticks;
  return ticks;
}

static void go_on(void) {
  played.last = te_bsp_cycles();
}

static void done(void *context, uint32_t step, const void *data, uint32_t bytes) {
  (void)context;
  const uint32_t ticks = lap();
  if (step == TE_STREAM_ROW) {
    ++played.rows;
    played.row_crc = te_crc32(played.row_crc, data, bytes);
  } else {
    ++played.runs;
    played.network_ticks += ticks;
    played.out_crc = te_crc32(played.out_crc, data, bytes);
  }
  go_on();
}

static void heard(void *context, const te_stream_result *result) {
  (void)context;
  played.network_ticks += lap();
  const uint32_t words[] = {(uint32_t)result->instant, result->inference, (uint32_t)result->detected};
  played.heard_crc = te_crc32(played.heard_crc, words, sizeof words);
  played.heard_crc = te_crc32(played.heard_crc, result->sums, played.stream->outputs * sizeof result->sums[0]);
  go_on();
}

static int begin(const te_stream *stream) {
  played.stream = stream;
  played.fed = 0;
  played.rows = 0;
  played.runs = 0;
  played.row_crc = 0;
  played.out_crc = 0;
  played.heard_crc = 0;
  played.ticks = 0;
  played.network_ticks = 0;
  return te_stream_listen(stream, heard, 0);
}

void te_forget_stream(void) {
  played.stream = 0;
}

const char *te_reply_stream(const te_model_info *model, const char *words) {
  static uint8_t chunk[TE_CHUNK_BYTES] __attribute__((aligned(4)));
  const te_stream *stream = model->stream;
  uint32_t offset;
  uint32_t count;
  if (stream == 0 || !te_take_u32(&words, &offset) || !te_take_base64(&words, chunk, sizeof chunk, &count) ||
      !te_at_end(words) || count % stream->instant_bytes != 0) {
    return TE_ERR_ARGS;
  }
  if (offset == 0) {
    if (begin(stream) != 0) {
      return TE_ERR_MODEL;
    }
  } else if (played.stream != stream || offset != played.fed) {
    return TE_ERR_ORDER;
  }
  const uint32_t rows = played.rows;
  go_on();
  const int error = te_stream_feed(stream, chunk, count / stream->instant_bytes, done, 0);
  lap();
  if (error != 0) {
    return TE_ERR_RUN;
  }
  played.fed += count;
  if (played.rows == rows) {
    return 0;
  }
  te_line_u32(" rows=", played.rows);
  te_line_u32(" runs=", played.runs);
  te_line_hex32(" row_crc=", played.row_crc);
  te_line_hex32(" out_crc=", played.out_crc);
  te_line_hex32(" heard_crc=", played.heard_crc);
  te_line_u32(" ticks=", played.ticks);
  te_line_u32(" network=", played.network_ticks);
  played.ticks = 0;
  played.network_ticks = 0;
  return 0;
}
