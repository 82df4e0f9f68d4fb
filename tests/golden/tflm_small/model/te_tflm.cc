/* SPDX-License-Identifier: Apache-2.0 */
/* small: the interpreter of TensorFlow Lite Micro, with the operators of this model and no others.
 *
 *   conv_2d: Register_CONV_2D_INT8, int8 throughout
 *   fully_connected: Register_FULLY_CONNECTED_INT8, int8 throughout
 */
#include "te_tflm.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "te_model_data.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/micro_time.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

constexpr unsigned kOperators = 2;
using Resolver = tflite::MicroMutableOpResolver<kOperators>;

/* Objects in static memory, made anew by each te_tflm_prepare: no heap, and no constructor before main. */
alignas(Resolver) unsigned char resolver_memory[sizeof(Resolver)];
alignas(tflite::MicroInterpreter) unsigned char interpreter_memory[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;

/* ---- what a layer takes ---- */

/* Each operator's own `invoke` is called through a function that tells when the layer is done. The interpreter's
 * profiler would tell it too, but not in builds without texts. */
TfLiteStatus (*invokes[kOperators])(TfLiteContext *, TfLiteNode *);
te_layer_done layer_done;
void *layer_context;
uint32_t step;

template <unsigned kSlot>
TfLiteStatus Watched(TfLiteContext *context, TfLiteNode *node) {
  const TfLiteStatus status = invokes[kSlot](context, node);
  if (layer_done != nullptr) {
    layer_done(layer_context, step);
  }
  ++step;
  return status;
}

/* The resolver hands out its own registrations as constants, but they are not. */
template <unsigned kSlot>
void Watch(const TFLMRegistration *found) {
  TFLMRegistration *registration = const_cast<TFLMRegistration *>(found);
  invokes[kSlot] = registration->invoke;
  registration->invoke = Watched<kSlot>;
}

/* ---- the operators ---- */

bool AddOperators(Resolver &resolver) {
  if (resolver.AddConv2D(tflite::Register_CONV_2D_INT8()) != kTfLiteOk) {
    return false;
  }
  Watch<0>(resolver.FindOp(tflite::BuiltinOperator_CONV_2D));
  if (resolver.AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8()) != kTfLiteOk) {
    return false;
  }
  Watch<1>(resolver.FindOp(tflite::BuiltinOperator_FULLY_CONNECTED));
  return true;
}

}  // namespace

extern "C" int te_tflm_prepare(uint8_t *arena, uint32_t bytes) {
  interpreter = nullptr;
  Resolver *resolver = new (resolver_memory) Resolver();
  if (!AddOperators(*resolver)) {
    return 1;
  }
  const tflite::Model *model = tflite::GetModel(te_model_data);
  tflite::MicroInterpreter *made =
      new (interpreter_memory) tflite::MicroInterpreter(model, *resolver, arena, bytes);
  if (made->initialization_status() != kTfLiteOk || made->AllocateTensors() != kTfLiteOk) {
    return 2;
  }
  interpreter = made;
  return 0;
}

extern "C" int te_tflm_invoke(te_layer_done done, void *context) {
  layer_done = done;
  layer_context = context;
  step = 0;
  return interpreter == nullptr ? static_cast<int>(kTfLiteError) : static_cast<int>(interpreter->Invoke());
}

extern "C" void *te_tflm_input(uint32_t i) { return interpreter == nullptr ? nullptr : interpreter->input(i)->data.data; }

extern "C" const void *te_tflm_output(uint32_t i) {
  return interpreter == nullptr ? nullptr : interpreter->output(i)->data.data;
}

/* ---- what TensorFlow Lite Micro asks of a platform; its log is in te_tflm_log.c ---- */

extern "C" uint32_t te_bsp_cycles(void);

namespace tflite {

uint32_t ticks_per_second() { return 64000000u; }

uint32_t GetCurrentTimeTicks() { return te_bsp_cycles(); }

}  // namespace tflite

/* Classes with virtual functions name these; nothing is ever deleted here, and no pure function is ever called. */
void operator delete(void *) noexcept {}

void operator delete(void *, std::size_t) noexcept {}

extern "C" void __cxa_pure_virtual(void);

extern "C" void __cxa_pure_virtual(void) { std::abort(); }
