/* SPDX-License-Identifier: Apache-2.0 */
/* A network that listens: samples come as they are taken, only new windows are computed, the network runs whenever
 * enough rows are new, and its outputs are averaged before somebody is told. The same for every model. */
#ifndef TE_STREAM_H
#define TE_STREAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an inference gave. */
typedef struct {
  uint64_t instant;    /* how many instants had been fed when its last window was whole */
  uint32_t inference;  /* its number, from 0 */
  const void *output;  /* of the network, valid during the call */
  const int32_t *sums; /* of the last outputs, each less its zero point: divided by their count it is the average */
  int32_t detected;    /* the class whose average reached the threshold; -1: none, or it is too soon after the last */
} te_stream_result;

typedef void (*te_stream_heard)(void *context, const te_stream_result *result);

/* What was just done, for who measures: a row, or an inference. */
enum { TE_STREAM_ROW, TE_STREAM_RUN };
typedef void (*te_stream_done)(void *context, uint32_t step, const void *data, uint32_t bytes);

enum { TE_STREAM_S8, TE_STREAM_U8, TE_STREAM_S16 };

/* What lasts from one call to the next. */
typedef struct {
  uint64_t instant;
  uint64_t last_detection;
  uint32_t held;       /* instants in the window */
  uint32_t next_row;   /* where the next row goes: the oldest one */
  uint32_t known_rows; /* since the beginning, at most all */
  uint32_t new_rows;   /* since the last inference */
  uint32_t inference;
  uint32_t has_detected;
  te_stream_heard heard;
  void *context;
} te_stream_memory;

/* instant_bytes     of one sample of each axis
 * window, stride    in instants, stride at most window
 * rows, row_bytes   of the network's input
 * run_rows          rows from one inference to the next, at most rows
 * outputs           elements of the network's output, of `output_type`
 * average           inferences that are averaged
 * threshold         of the sum of that many outputs, each less its zero point
 * suppress          instants after a detection in which there is no other
 * classes           [class_count] outputs that can be detected
 *
 * samples  [window] instants, aligned to 8 bytes
 * ring     [rows][row_bytes]
 * history  [average][outputs]
 * sums     [outputs] */
typedef struct te_stream {
  uint32_t instant_bytes;
  uint32_t window;
  uint32_t stride;
  uint32_t rows;
  uint32_t row_bytes;
  uint32_t run_rows;
  uint32_t outputs;
  uint32_t output_type;
  uint32_t output_bytes;
  int32_t zero_point;
  uint32_t average;
  int32_t threshold;
  uint32_t suppress;
  uint32_t class_count;
  const uint16_t *classes;
  void *samples;
  uint8_t *ring;
  int32_t *history;
  int32_t *sums;
  te_stream_memory *memory;
  int (*reset)(void); /* the network's variables and the features' state */
  void (*frame)(const void *samples, void *row);
  void *(*input)(uint32_t i);
  int (*invoke)(void);
  const void *(*output)(uint32_t i);
} te_stream;

/* Begin a new signal; `heard` is called after each inference. Returns 0, or the network's error. */
int te_stream_listen(const te_stream *s, te_stream_heard heard, void *context);

/* Take `instants` instants; `done` may be null. Returns 0, or the network's error. */
int te_stream_feed(const te_stream *s, const void *samples, uint32_t instants, te_stream_done done, void *context);

#ifdef __cplusplus
}
#endif

#endif
