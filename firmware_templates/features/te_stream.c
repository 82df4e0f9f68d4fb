/* SPDX-License-Identifier: Apache-2.0 */
#include "te_stream.h"

#include <string.h>

static void clear(int32_t *numbers, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    numbers[i] = 0;
  }
}

int te_stream_listen(const te_stream *s, te_stream_heard heard, void *context) {
  const te_stream_memory fresh = {0, 0, 0, 0, 0, 0, 0, 0, heard, context};
  *s->memory = fresh;
  clear(s->history, s->average * s->outputs);
  clear(s->sums, s->outputs);
  return s->reset();
}

/* The rows in the order of their age, as the network takes them. */
static void fill_input(const te_stream *s) {
  uint8_t *input = s->input(0);
  const uint32_t older = (s->rows - s->memory->next_row) * s->row_bytes;
  memcpy(input, s->ring + s->memory->next_row * s->row_bytes, older);
  memcpy(input + older, s->ring, s->memory->next_row * s->row_bytes);
}

static int32_t output_at(const te_stream *s, const void *output, uint32_t i) {
  switch (s->output_type) {
  case TE_STREAM_S8:
    return ((const int8_t *)output)[i] - s->zero_point;
  case TE_STREAM_U8:
    return ((const uint8_t *)output)[i] - s->zero_point;
  default:
    return ((const int16_t *)output)[i] - s->zero_point;
  }
}

/* The oldest output leaves the sums, and the newest one joins them. */
static void average(const te_stream *s, const void *output) {
  int32_t *slot = s->history + s->memory->inference % s->average * s->outputs;
  for (uint32_t i = 0; i < s->outputs; ++i) {
    const int32_t value = output_at(s, output, i);
    s->sums[i] += value - slot[i];
    slot[i] = value;
  }
}

static int32_t detect(const te_stream *s) {
  te_stream_memory *m = s->memory;
  int32_t best = -1;
  if (m->inference + 1 < s->average || (m->has_detected && m->instant - m->last_detection < s->suppress)) {
    return -1;
  }
  for (uint32_t i = 0; i < s->class_count; ++i) {
    const int32_t which = s->classes[i];
    if (s->sums[which] >= s->threshold && (best < 0 || s->sums[which] > s->sums[best])) {
      best = which;
    }
  }
  if (best >= 0) {
    m->has_detected = 1;
    m->last_detection = m->instant;
  }
  return best;
}

static int run(const te_stream *s, te_stream_done done, void *context) {
  te_stream_memory *m = s->memory;
  m->new_rows = 0;
  fill_input(s);
  const int error = s->invoke();
  if (error != 0) {
    return error;
  }
  const void *output = s->output(0);
  if (done) {
    done(context, TE_STREAM_RUN, output, s->output_bytes);
  }
  average(s, output);
  const te_stream_result result = {m->instant, m->inference, output, s->sums, detect(s)};
  ++m->inference;
  if (m->heard) {
    m->heard(m->context, &result);
  }
  return 0;
}

/* The row of the window that is whole now; what the next one shares with it stays. */
static void add_row(const te_stream *s, te_stream_done done, void *context) {
  te_stream_memory *m = s->memory;
  uint8_t *samples = s->samples;
  uint8_t *row = s->ring + m->next_row * s->row_bytes;
  s->frame(samples, row);
  m->held = s->window - s->stride;
  memmove(samples, samples + s->stride * s->instant_bytes, m->held * s->instant_bytes);
  m->next_row = m->next_row + 1 == s->rows ? 0 : m->next_row + 1;
  m->known_rows += m->known_rows < s->rows;
  ++m->new_rows;
  if (done) {
    done(context, TE_STREAM_ROW, row, s->row_bytes);
  }
}

int te_stream_feed(const te_stream *s, const void *samples, uint32_t instants, te_stream_done done, void *context) {
  te_stream_memory *m = s->memory;
  const uint8_t *from = samples;
  while (instants > 0) {
    const uint32_t room = s->window - m->held;
    const uint32_t taken = instants < room ? instants : room;
    memcpy((uint8_t *)s->samples + m->held * s->instant_bytes, from, taken * s->instant_bytes);
    from += taken * s->instant_bytes;
    instants -= taken;
    m->held += taken;
    m->instant += taken;
    if (m->held < s->window) {
      break;
    }
    add_row(s, done, context);
    if (m->known_rows == s->rows && m->new_rows >= s->run_rows) {
      const int error = run(s, done, context);
      if (error != 0) {
        return error;
      }
    }
  }
  return 0;
}
