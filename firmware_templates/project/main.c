/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware of tinyedge: it tests itself, says who it is, then answers the host's requests. te_protocol.h names the
 * tokens; the same program serves a board, an emulator and a process on a host. */
#include <stdint.h>

#include "te_board.h"
#include "te_bsp.h"
#include "te_image.h"
#include "te_models.h"
#include "te_protocol.h"
#include "te_startup.h"
#ifdef TE_LISTENS
#include "te_stream.h"
#include "te_streaming.h"
#endif
#include "te_wire.h"

/* Of the last profile, one entry per layer in order of execution. */
static struct {
  uint32_t ticks;
  uint32_t crc;
#ifdef TE_BY_ROWS
  uint32_t calls;
  uint32_t rows;
#endif
} profile[TE_MOST_LAYERS];
static int profile_taken;
static uint32_t profile_in_crc;

static uint32_t chosen;            /* the model that requests are about */
static const te_model_info *model; /* its table */
static int init_errors[TE_MODEL_COUNT];
static int selftests_ok[TE_MODEL_COUNT];

#ifdef TE_FEEDS
/* How far the samples have come of the features of the chosen model. */
static struct {
  uint8_t *window;
  uint32_t held; /* bytes in the window */
  uint32_t fed;  /* bytes since the signal began; UINT32_MAX before that */
  uint32_t rows; /* rows since then */
  uint32_t ticks;
} feed;
#endif

static void choose(uint32_t i) {
  chosen = i;
  model = te_models[i];
  profile_taken = 0;
#ifdef TE_FEEDS
  feed.fed = UINT32_MAX;
#endif
}

/* ---- inputs, outputs, self-test ---- */

/* The tensor `index` of the inputs or outputs, or 0 when there is none. */
static const te_tensor_info *find_tensor(int output, uint32_t index) {
  if (index >= (output ? model->output_count : model->input_count)) {
    return 0;
  }
  return output ? &model->outputs[index] : &model->inputs[index];
}

/* CRC-32 of all inputs or outputs, one after the other. */
static uint32_t tensors_crc(int output) {
  uint32_t crc = 0;
  const te_tensor_info *tensors = output ? model->outputs : model->inputs;
  const uint32_t count = output ? model->output_count : model->input_count;
  for (uint32_t i = 0; i < count; ++i) {
    crc = te_crc32(crc, output ? model->output(i) : model->input(i), tensors[i].bytes);
  }
  return crc;
}

#ifdef TE_INPUT_RANGES
/* Random bytes of an input as values that it may take. */
static void draw_values(void *input, uint32_t bytes, const te_input_range *range) {
  uint8_t *single = input;
  for (uint32_t i = 0; range->element_bytes == 1 && i < bytes; ++i) {
    single[i] = (uint8_t)(single[i] % range->count + (uint32_t)range->first);
  }
  uint32_t *words = input;
  for (uint32_t i = 0; range->element_bytes == 4 && i < bytes / 4; ++i) {
    const int32_t whole = (int32_t)(words[i] % range->count) + range->first;
    union {
      uint32_t bits;
      int32_t whole;
      float real;
    } value = {0};
    if (range->scale > 0.0f) {
      value.real = (float)whole * range->scale;
    } else {
      value.whole = whole;
    }
    words[i] = value.bits;
  }
}
#endif

/* One inference over pseudo-random inputs, whose right result the toolchain computed. */
static int selftest(void) {
  uint32_t x = 1;
  for (uint32_t i = 0; i < model->input_count; ++i) {
    uint8_t *bytes = model->input(i);
    for (uint32_t j = 0; j < model->inputs[i].bytes; ++j) {
      x = x * 1664525u + 1013904223u;
      bytes[j] = (uint8_t)(x >> 24);
    }
#ifdef TE_INPUT_RANGES
    if (model->input_ranges) {
      draw_values(bytes, model->inputs[i].bytes, &model->input_ranges[i]);
    }
#endif
  }
  return model->invoke() == 0 && tensors_crc(1) == model->selftest_crc;
}

/* ---- replies ---- */

static void describe(void) {
  te_line_u32(" protocol=", TE_PROTOCOL);
  te_line_text(" model=");
  te_line_text(model->model);
  te_line_text(" board=" TE_BOARD_NAME " runtime=");
  te_line_text(model->runtime);
  te_line_text(" image=" TE_IMAGE_ID);
  te_line_u32(" ticks_hz=", TE_CLOCK_HZ);
  te_line_u32(" inputs=", model->input_count);
  te_line_u32(" outputs=", model->output_count);
  te_line_u32(" layers=", model->layer_count);
  te_line_u32(" arena=", model->arena_bytes);
  te_line_text(selftests_ok[chosen] ? " selftest=ok" : " selftest=fail");
}

/* Replies add to a line that says `ok` already, and give 0; or they give the error that the line becomes instead. */

static const char *reply_hello(const char *words) {
  (void)words;
  describe();
  return 0;
}

#if TE_MODEL_COUNT > 1
static const char *reply_model(const char *words) {
  uint32_t index;
  if (!te_take_u32(&words, &index) || !te_at_end(words) || index >= TE_MODEL_COUNT) {
    return TE_ERR_ARGS;
  }
  choose(index);
  describe();
  return 0;
}
#endif

static const char *reply_tensor(const char *words) {
  uint32_t index;
  const int output = te_take_word(&words, TE_VERB_OUT);
  if ((!output && !te_take_word(&words, TE_VERB_IN)) || !te_take_u32(&words, &index) || !te_at_end(words)) {
    return TE_ERR_ARGS;
  }
  const te_tensor_info *tensor = find_tensor(output, index);
  if (tensor == 0) {
    return TE_ERR_ARGS;
  }
  te_line_u32(" bytes=", tensor->bytes);
  te_line_text(" type=");
  te_line_text(tensor->type);
  te_line_text(" shape=");
  te_line_text(tensor->shape);
  te_line_text(" scale=");
  te_line_text(tensor->scale);
  te_line_i32(" zero_point=", tensor->zero_point);
  return 0;
}

/* Whether a tensor has `count` bytes from `offset` on. */
static int has_bytes(int output, uint32_t index, uint32_t offset, uint32_t count) {
  const te_tensor_info *tensor = find_tensor(output, index);
  return tensor != 0 && offset <= tensor->bytes && count <= tensor->bytes - offset;
}

static const char *reply_in(const char *words) {
  static uint8_t chunk[TE_CHUNK_BYTES]; /* decoded here first: a malformed request must change nothing */
  uint32_t index;
  uint32_t offset;
  uint32_t count;
  if (!te_take_u32(&words, &index) || !te_take_u32(&words, &offset) ||
      !te_take_base64(&words, chunk, sizeof chunk, &count) || !te_at_end(words) ||
      !has_bytes(0, index, offset, count)) {
    return TE_ERR_ARGS;
  }
  uint8_t *bytes = model->input(index);
  for (uint32_t i = 0; i < count; ++i) {
    bytes[offset + i] = chunk[i];
  }
  return 0;
}

#ifdef TE_FEEDS
/* A window of the chosen model; one that listens has it, and nothing is streamed meanwhile. */
static uint8_t *find_window(void) {
#ifdef TE_LISTENS
  te_forget_stream();
  if (model->stream) {
    return model->stream->samples;
  }
#endif
#ifdef TE_WINDOW_BYTES
  static uint8_t window[TE_WINDOW_BYTES] __attribute__((aligned(8)));
  return window;
#else
  return 0;
#endif
}

static void feed_begin(void) {
  feed.window = find_window();
  feed.held = 0;
  feed.fed = 0;
  feed.rows = 0;
  feed.ticks = 0;
  model->features->reset();
}

/* Takes samples, and computes a row of the input whenever a window is whole; 0 when there are more than it takes. */
static int feed_samples(const uint8_t *bytes, uint32_t count) {
  const te_features_info *features = model->features;
  for (uint32_t i = 0; i < count; ++i) {
    feed.window[feed.held++] = bytes[i];
    feed.fed++;
    if (feed.held < features->window_bytes) {
      continue;
    }
    if (feed.rows == features->rows) {
      return 0;
    }
    const uint32_t start = te_bsp_cycles();
    features->frame(feed.window, (uint8_t *)model->input(0) + feed.rows * features->row_bytes);
    feed.ticks += te_bsp_cycles() - start;
    feed.rows++;
    feed.held -= features->stride_bytes;
    for (uint32_t j = 0; j < feed.held; ++j) {
      feed.window[j] = feed.window[j + features->stride_bytes];
    }
  }
  return 1;
}

static const char *reply_feed(const char *words) {
  static uint8_t chunk[TE_CHUNK_BYTES];
  uint32_t offset;
  uint32_t count;
  if (!te_take_u32(&words, &offset) || !te_take_base64(&words, chunk, sizeof chunk, &count) || !te_at_end(words) ||
      model->features == 0) {
    return TE_ERR_ARGS;
  }
  if (offset == 0) {
    feed_begin();
  } else if (offset != feed.fed) {
    return TE_ERR_ORDER;
  }
  if (!feed_samples(chunk, count)) {
    return TE_ERR_ARGS;
  }
  te_line_u32(" rows=", feed.rows);
  te_line_u32(" ticks=", feed.ticks);
  return 0;
}

static const char *reply_features(const char *words) {
  uint32_t offset;
  uint32_t count;
  if (!te_take_u32(&words, &offset) || !te_take_u32(&words, &count) || !te_at_end(words) || count == 0 ||
      count > TE_CHUNK_BYTES || model->features == 0 || !has_bytes(0, 0, offset, count)) {
    return TE_ERR_ARGS;
  }
  te_line_base64(" data=", (const uint8_t *)model->input(0) + offset, count);
  return 0;
}
#endif

#ifdef TE_LISTENS
static const char *reply_stream(const char *words) {
  feed.fed = UINT32_MAX; /* both use the same memory */
  return te_reply_stream(model, words);
}
#endif

static const char *reply_out(const char *words) {
  uint32_t index;
  uint32_t offset;
  uint32_t count;
  if (!te_take_u32(&words, &index) || !te_take_u32(&words, &offset) || !te_take_u32(&words, &count) ||
      !te_at_end(words) || count == 0 || count > TE_CHUNK_BYTES || !has_bytes(1, index, offset, count)) {
    return TE_ERR_ARGS;
  }
  te_line_base64(" data=", (const uint8_t *)model->output(index) + offset, count);
  return 0;
}

static const char *reply_run(const char *words) {
  (void)words;
  const uint32_t in_crc = tensors_crc(0); /* before the inference, which may use their memory */
  const uint32_t start = te_bsp_cycles();
  const int error = model->invoke();
  const uint32_t ticks = te_bsp_cycles() - start;
  if (error != 0) {
    return TE_ERR_RUN;
  }
  te_line_u32(" ticks=", ticks);
  te_line_hex32(" in_crc=", in_crc);
  te_line_hex32(" out_crc=", tensors_crc(1));
  return 0;
}

#ifdef TE_BY_ROWS
/* Go on with the checksum of a layer that runs row by row: with the rows that the call before left. */
static void add_rows(uint32_t step, const te_rows *rows) {
  if (profile[step].calls++ < rows->silent) {
    return;
  }
  const uint32_t left = rows->count - profile[step].rows;
  uint32_t count = profile[step].rows == 0 ? rows->first : rows->more;
  count = count < left ? count : left;
  const uint8_t *row = rows->data;
  row = rows->whole ? row + profile[step].rows * rows->pitch : row - count * rows->pitch;
  for (uint32_t i = 0; i < count; ++i, row += rows->pitch) {
    profile[step].crc = te_crc32(profile[step].crc, row, rows->row_bytes);
  }
  profile[step].rows += count;
}

static void clear_profile(void) {
  for (uint32_t step = 0; step < model->layer_count; ++step) {
    profile[step].ticks = 0;
    profile[step].crc = 0;
    profile[step].calls = 0;
    profile[step].rows = 0;
  }
}
#endif

/* Called after each layer of a profile, or each call of one that runs row by row; `context` is the tick at which it
 * started. */
static void layer_done(void *context, uint32_t step) {
  const uint32_t now = te_bsp_cycles();
  uint32_t *start = context;
  const te_layer_info *layer = &model->layers[step];
#ifdef TE_BY_ROWS
  profile[step].ticks += now - *start;
  if (model->rows && model->rows[step].row_bytes > 0) {
    add_rows(step, &model->rows[step]);
  }
#else
  profile[step].ticks = now - *start;
  profile[step].crc = 0;
#endif
  for (uint32_t i = 0; i < layer->span_count; ++i) {
    profile[step].crc = te_crc32(profile[step].crc, layer->spans[i].data, layer->spans[i].bytes);
  }
  *start = te_bsp_cycles(); /* the checksum is not part of the next layer */
}

static const char *reply_profile(const char *words) {
  (void)words;
  profile_taken = 0;
  profile_in_crc = tensors_crc(0);
#ifdef TE_BY_ROWS
  clear_profile();
#endif
  uint32_t start = te_bsp_cycles();
  if (model->invoke_layers(layer_done, &start) != 0) {
    return TE_ERR_RUN;
  }
  profile_taken = 1;
  uint32_t ticks = 0;
  for (uint32_t step = 0; step < model->layer_count; ++step) {
    ticks += profile[step].ticks;
  }
  te_line_u32(" ticks=", ticks);
  te_line_u32(" layers=", model->layer_count);
  te_line_hex32(" in_crc=", profile_in_crc);
  te_line_hex32(" out_crc=", tensors_crc(1));
  return 0;
}

static const char *reply_layer(const char *words) {
  uint32_t step;
  if (!te_take_u32(&words, &step) || !te_at_end(words) || step >= model->layer_count) {
    return TE_ERR_ARGS;
  }
  if (!profile_taken) {
    return TE_ERR_ORDER;
  }
  te_line_u32(" index=", model->layers[step].index);
  te_line_u32(" ticks=", profile[step].ticks);
#ifdef TE_BY_ROWS
  const int known = model->layers[step].span_count > 0 || (model->rows && model->rows[step].row_bytes > 0);
#else
  const int known = model->layers[step].span_count > 0;
#endif
  if (known) {
    te_line_hex32(" crc=", profile[step].crc);
  } else {
    te_line_text(" crc=-");
  }
  te_line_hex32(" in_crc=", profile_in_crc); /* a profile request repeated after a reset was of other inputs */
  return 0;
}

static const char *reply_mem(const char *words) {
  (void)words;
  te_line_u32(" stack_peak=", te_stack_peak());
  te_line_u32(" stack_size=", te_stack_size());
  te_line_u32(" ram_static=", te_ram_static());
  te_line_u32(" arena=", model->arena_bytes);
  return 0;
}

static const char *reply_reset(const char *words) {
  (void)words;
  init_errors[chosen] = model->init();
  return init_errors[chosen] == 0 ? 0 : TE_ERR_MODEL;
}

/* ---- the loop ---- */

/* What is checked before a reply is asked for. */
enum { WORDS = 0, NO_WORDS = 1, MODEL = 2 }; /* words may follow; none may; the model has been initialised */

static const struct {
  const char *verb;
  const char *(*reply)(const char *words);
  uint32_t wants;
} requests[] = {
    {TE_VERB_HELLO, reply_hello, NO_WORDS},
    {TE_VERB_TENSOR, reply_tensor, WORDS},
    {TE_VERB_IN, reply_in, WORDS},
    {TE_VERB_RUN, reply_run, NO_WORDS | MODEL},
    {TE_VERB_PROFILE, reply_profile, NO_WORDS | MODEL},
    {TE_VERB_LAYER, reply_layer, WORDS},
    {TE_VERB_OUT, reply_out, WORDS},
    {TE_VERB_MEM, reply_mem, NO_WORDS},
    {TE_VERB_RESET, reply_reset, NO_WORDS | MODEL},
#ifdef TE_FEEDS
    {TE_VERB_FEED, reply_feed, WORDS},
    {TE_VERB_FEATURES, reply_features, WORDS},
#endif
#ifdef TE_LISTENS
    {TE_VERB_STREAM, reply_stream, WORDS},
#endif
#if TE_MODEL_COUNT > 1
    {TE_VERB_MODEL, reply_model, WORDS},
#endif
};

/* The reply to a request in the line that is composed; 0, or what is wrong with the request. */
static const char *reply(const char *words) {
  for (uint32_t i = 0; i < sizeof requests / sizeof requests[0]; ++i) {
    if (te_take_word(&words, requests[i].verb)) {
      if ((requests[i].wants & NO_WORDS) != 0 && !te_at_end(words)) {
        return TE_ERR_ARGS;
      }
      if ((requests[i].wants & MODEL) != 0 && init_errors[chosen] != 0) {
        return TE_ERR_MODEL;
      }
      return requests[i].reply(words);
    }
  }
  return TE_ERR_VERB;
}

static void answer(const te_request *request) {
  te_line_begin(TE_MARK_REPLY, request->sequence);
  te_line_text(TE_OK);
  const char *error = reply(request->words);
  if (error != 0) {
    te_line_begin(TE_MARK_REPLY, request->sequence);
    te_line_text(error);
  }
}

_Noreturn void te_fault(uint32_t pc, uint32_t lr, uint32_t status) {
  te_bsp_putc('\n'); /* whatever line was being sent ends here and fails its checksum */
  te_line_begin(TE_MARK_RECORD, 0);
  te_line_hex32("fault pc=", pc);
  te_line_hex32(" lr=", lr);
  te_line_hex32(" cfsr=", status);
  te_line_send();
  te_bsp_halt(1);
}

int main(void) {
  te_bsp_init();
  for (uint32_t i = TE_MODEL_COUNT; i-- > 0;) { /* the first one stays chosen */
    choose(i);
    init_errors[i] = model->init();
    if (init_errors[i] == 0) {
      selftests_ok[i] = selftest();
      init_errors[i] = model->init(); /* the self-test must leave no trace in variables */
    }
  }
  te_bsp_putc('\n'); /* a reset may have cut a line short */
  te_line_begin(TE_MARK_RECORD, 0);
  te_line_text(TE_VERB_HELLO);
  describe();
  te_line_send();

  /* A request is known by its number and its checksum: a host that starts anew may reuse a number. */
  te_request last = {0, 0, ""};
  for (;;) {
    te_request request;
    if (!te_wire_receive(&request)) {
      continue;
    }
    if (request.sequence != last.sequence || request.check != last.check) {
      answer(&request);
      last = request;
    }
    te_line_send();
  }
}
