/* Stand-in: needs 64 bytes of arena; runs the model's first two operators, each of which adds the first input byte to a
 * sum; the output is that sum. */
#ifndef STAND_IN_INTERPRETER_H
#define STAND_IN_INTERPRETER_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace tflite {

class MicroInterpreter {
 public:
  MicroInterpreter(const Model *, const MicroOpResolver &op_resolver, uint8_t *tensor_arena, size_t tensor_arena_size)
      : resolver_(op_resolver), arena_(tensor_arena), size_(tensor_arena_size) {
    tensors_[0].data.data = tensor_arena;
    tensors_[1].data.data = tensor_arena + 32;
  }

  TfLiteStatus initialization_status() const { return kTfLiteOk; }

  TfLiteStatus AllocateTensors() { return size_ < 64 ? kTfLiteError : kTfLiteOk; }

  TfLiteStatus Invoke() {
    const BuiltinOperator operators[] = {BuiltinOperator_CONV_2D, BuiltinOperator_FULLY_CONNECTED};
    TfLiteContext context = {0};
    TfLiteNode node = {arena_};
    for (BuiltinOperator op : operators) {
      const TFLMRegistration *registration = resolver_.FindOp(op);
      if (registration == nullptr || registration->invoke(&context, &node) != kTfLiteOk) {
        return kTfLiteError;
      }
    }
    arena_[32] = static_cast<uint8_t>(context.sum);
    return kTfLiteOk;
  }

  TfLiteTensor *input(size_t) { return &tensors_[0]; }
  TfLiteTensor *output(size_t) { return &tensors_[1]; }

 private:
  const MicroOpResolver &resolver_;
  uint8_t *arena_;
  size_t size_;
  TfLiteTensor tensors_[2];
};

}  // namespace tflite

#endif
