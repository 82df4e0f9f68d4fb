/* The firmware of tinyedge: it tests itself, says who it is, then answers the host's requests. te_protocol.h names the
 * tokens; the same program serves a board, an emulator and a process on a host. */
#include <stdint.h>

#include "te_board.h"
#include "te_bsp.h"
#include "te_image.h"
#include "te_model.h"
#include "te_model_config.h"
#include "te_protocol.h"
#include "te_startup.h"
#include "te_wire.h"

/* Of the last profile, one entry per layer in order of execution. */
static struct {
  uint32_t ticks;
  uint32_t crc;
} profile[TE_MODEL_LAYER_COUNT];
static int profile_taken;
static uint32_t profile_in_crc;

static int init_error; /* of te_model_init */
static int selftest_ok;

/* ---- inputs, outputs, self-test ---- */

static uint32_t inputs_crc(void) {
  uint32_t crc = 0;
  for (uint32_t i = 0; i < te_model_info.input_count; ++i) {
    crc = te_crc32(crc, te_model_input(i), te_model_info.inputs[i].bytes);
  }
  return crc;
}

static uint32_t outputs_crc(void) {
  uint32_t crc = 0;
  for (uint32_t i = 0; i < te_model_info.output_count; ++i) {
    crc = te_crc32(crc, te_model_output(i), te_model_info.outputs[i].bytes);
  }
  return crc;
}

/* One inference over pseudo-random inputs, whose right result the toolchain computed. */
static int selftest(void) {
  uint32_t x = 1;
  for (uint32_t i = 0; i < te_model_info.input_count; ++i) {
    uint8_t *bytes = te_model_input(i);
    for (uint32_t j = 0; j < te_model_info.inputs[i].bytes; ++j) {
      x = x * 1664525u + 1013904223u;
      bytes[j] = (uint8_t)(x >> 24);
    }
  }
  return te_model_invoke(0, 0) == 0 && outputs_crc() == te_model_info.selftest_crc;
}

/* ---- replies ---- */

static void describe(void) {
  te_line_u32(" protocol=", TE_PROTOCOL);
  te_line_text(" model=");
  te_line_text(te_model_info.model);
  te_line_text(" board=" TE_BOARD_NAME " runtime=");
  te_line_text(te_model_info.runtime);
  te_line_text(" image=" TE_IMAGE_ID);
  te_line_u32(" ticks_hz=", TE_CLOCK_HZ);
  te_line_u32(" inputs=", te_model_info.input_count);
  te_line_u32(" outputs=", te_model_info.output_count);
  te_line_u32(" layers=", te_model_info.layer_count);
  te_line_u32(" arena=", te_model_info.arena_bytes);
  te_line_text(selftest_ok ? " selftest=ok" : " selftest=fail");
}

static void reply_hello(const char *words) {
  if (!te_at_end(words)) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  te_line_text(TE_OK);
  describe();
}

/* The tensor `index` of the inputs or outputs, or 0 when there is none. */
static const te_tensor_info *find_tensor(int output, uint32_t index) {
  if (index >= (output ? te_model_info.output_count : te_model_info.input_count)) {
    return 0;
  }
  return output ? &te_model_info.outputs[index] : &te_model_info.inputs[index];
}

static void reply_tensor(const char *words) {
  uint32_t index;
  const int output = te_take_word(&words, TE_VERB_OUT);
  if ((!output && !te_take_word(&words, TE_VERB_IN)) || !te_take_u32(&words, &index) || !te_at_end(words) ||
      find_tensor(output, index) == 0) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  const te_tensor_info *tensor = find_tensor(output, index);
  te_line_text(TE_OK);
  te_line_u32(" bytes=", tensor->bytes);
  te_line_text(" type=");
  te_line_text(tensor->type);
  te_line_text(" shape=");
  te_line_text(tensor->shape);
  te_line_text(" scale=");
  te_line_text(tensor->scale);
  te_line_i32(" zero_point=", tensor->zero_point);
}

static void reply_in(const char *words) {
  static uint8_t chunk[TE_CHUNK_BYTES]; /* decoded here first: a malformed request must change nothing */
  uint32_t index;
  uint32_t offset;
  uint32_t count;
  if (!te_take_u32(&words, &index) || !te_take_u32(&words, &offset) ||
      !te_take_base64(&words, chunk, sizeof chunk, &count) || !te_at_end(words)) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  const te_tensor_info *tensor = find_tensor(0, index);
  if (tensor == 0 || offset > tensor->bytes || count > tensor->bytes - offset) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  uint8_t *bytes = te_model_input(index);
  for (uint32_t i = 0; i < count; ++i) {
    bytes[offset + i] = chunk[i];
  }
  te_line_text(TE_OK);
}

static void reply_out(const char *words) {
  uint32_t index;
  uint32_t offset;
  uint32_t count;
  if (!te_take_u32(&words, &index) || !te_take_u32(&words, &offset) || !te_take_u32(&words, &count) ||
      !te_at_end(words)) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  const te_tensor_info *tensor = find_tensor(1, index);
  if (tensor == 0 || offset > tensor->bytes || count > tensor->bytes - offset || count == 0 || count > TE_CHUNK_BYTES) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  te_line_text(TE_OK);
  te_line_base64(" data=", (const uint8_t *)te_model_output(index) + offset, count);
}

/* What a request that takes no arguments and needs a working model has to check first; 1 when all is well. */
static int model_is_ready(const char *words) {
  if (!te_at_end(words)) {
    te_line_text(TE_ERR_ARGS);
    return 0;
  }
  if (init_error != 0) {
    te_line_text(TE_ERR_MODEL);
    return 0;
  }
  return 1;
}

static void reply_run(const char *words) {
  if (!model_is_ready(words)) {
    return;
  }
  const uint32_t in_crc = inputs_crc(); /* before the inference, which may use their memory */
  const uint32_t start = te_bsp_cycles();
  const int error = te_model_invoke(0, 0);
  const uint32_t ticks = te_bsp_cycles() - start;
  if (error != 0) {
    te_line_text(TE_ERR_RUN);
    return;
  }
  te_line_text(TE_OK);
  te_line_u32(" ticks=", ticks);
  te_line_hex32(" in_crc=", in_crc);
  te_line_hex32(" out_crc=", outputs_crc());
}

/* Called after each layer of a profile; `context` is the tick at which the layer started. */
static void layer_done(void *context, uint32_t step) {
  const uint32_t now = te_bsp_cycles();
  uint32_t *start = context;
  const te_layer_info *layer = &te_model_info.layers[step];
  profile[step].ticks = now - *start;
  profile[step].crc = 0;
  for (uint32_t i = 0; i < layer->span_count; ++i) {
    profile[step].crc = te_crc32(profile[step].crc, layer->spans[i].data, layer->spans[i].bytes);
  }
  *start = te_bsp_cycles(); /* the checksum is not part of the next layer */
}

static void reply_profile(const char *words) {
  if (!model_is_ready(words)) {
    return;
  }
  profile_taken = 0;
  profile_in_crc = inputs_crc();
  uint32_t start = te_bsp_cycles();
  if (te_model_invoke(layer_done, &start) != 0) {
    te_line_text(TE_ERR_RUN);
    return;
  }
  profile_taken = 1;
  uint32_t ticks = 0;
  for (uint32_t step = 0; step < te_model_info.layer_count; ++step) {
    ticks += profile[step].ticks;
  }
  te_line_text(TE_OK);
  te_line_u32(" ticks=", ticks);
  te_line_u32(" layers=", te_model_info.layer_count);
  te_line_hex32(" in_crc=", profile_in_crc);
  te_line_hex32(" out_crc=", outputs_crc());
}

static void reply_layer(const char *words) {
  uint32_t step;
  if (!te_take_u32(&words, &step) || !te_at_end(words) || step >= te_model_info.layer_count) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  if (!profile_taken) {
    te_line_text(TE_ERR_ORDER);
    return;
  }
  te_line_text(TE_OK);
  te_line_u32(" index=", te_model_info.layers[step].index);
  te_line_u32(" ticks=", profile[step].ticks);
  if (te_model_info.layers[step].span_count > 0) {
    te_line_hex32(" crc=", profile[step].crc);
  } else {
    te_line_text(" crc=-");
  }
  te_line_hex32(" in_crc=", profile_in_crc); /* a profile request repeated after a reset was of other inputs */
}

static void reply_mem(const char *words) {
  if (!te_at_end(words)) {
    te_line_text(TE_ERR_ARGS);
    return;
  }
  te_line_text(TE_OK);
  te_line_u32(" stack_peak=", te_stack_peak());
  te_line_u32(" stack_size=", te_stack_size());
  te_line_u32(" ram_static=", te_ram_static());
  te_line_u32(" arena=", te_model_info.arena_bytes);
}

static void reply_reset(const char *words) {
  if (!model_is_ready(words)) {
    return;
  }
  init_error = te_model_init();
  te_line_text(init_error == 0 ? TE_OK : TE_ERR_MODEL);
}

/* ---- the loop ---- */

static const struct {
  const char *verb;
  void (*reply)(const char *words);
} requests[] = {
    {TE_VERB_HELLO, reply_hello},     {TE_VERB_TENSOR, reply_tensor}, {TE_VERB_IN, reply_in},
    {TE_VERB_RUN, reply_run},         {TE_VERB_PROFILE, reply_profile}, {TE_VERB_LAYER, reply_layer},
    {TE_VERB_OUT, reply_out},         {TE_VERB_MEM, reply_mem},       {TE_VERB_RESET, reply_reset},
};

static void answer(const te_request *request) {
  const char *words = request->words;
  te_line_begin(TE_MARK_REPLY, request->sequence);
  for (uint32_t i = 0; i < sizeof requests / sizeof requests[0]; ++i) {
    if (te_take_word(&words, requests[i].verb)) {
      requests[i].reply(words);
      return;
    }
  }
  te_line_text(TE_ERR_VERB);
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
  init_error = te_model_init();
  if (init_error == 0) {
    selftest_ok = selftest();
    init_error = te_model_init(); /* the self-test must leave no trace in variables */
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
