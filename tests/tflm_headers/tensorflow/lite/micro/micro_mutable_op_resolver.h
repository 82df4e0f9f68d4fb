/* Stand-in: a resolver for the operators that tests use. */
#ifndef STAND_IN_RESOLVER_H
#define STAND_IN_RESOLVER_H

#include "tensorflow/lite/micro/common.h"

namespace tflite {

enum BuiltinOperator {
  BuiltinOperator_ADD,
  BuiltinOperator_AVERAGE_POOL_2D,
  BuiltinOperator_CONV_2D,
  BuiltinOperator_DEPTHWISE_CONV_2D,
  BuiltinOperator_FULLY_CONNECTED,
  BuiltinOperator_MAX_POOL_2D,
  BuiltinOperator_RESHAPE,
  BuiltinOperator_SOFTMAX,
};

inline TfLiteStatus AddUp(TfLiteContext *context, TfLiteNode *node) {
  context->sum += *node->input;
  return kTfLiteOk;
}

inline TFLMRegistration Registered(int code) { return {AddUp, code, nullptr}; }

inline TFLMRegistration Register_ADD() { return Registered(BuiltinOperator_ADD); }
inline TFLMRegistration Register_ADD_INT8() { return Register_ADD(); }
inline TFLMRegistration Register_AVERAGE_POOL_2D() { return Registered(BuiltinOperator_AVERAGE_POOL_2D); }
inline TFLMRegistration Register_AVERAGE_POOL_2D_INT8() { return Register_AVERAGE_POOL_2D(); }
inline TFLMRegistration Register_CONV_2D() { return Registered(BuiltinOperator_CONV_2D); }
inline TFLMRegistration Register_CONV_2D_INT8() { return Register_CONV_2D(); }
inline TFLMRegistration Register_DEPTHWISE_CONV_2D() { return Registered(BuiltinOperator_DEPTHWISE_CONV_2D); }
inline TFLMRegistration Register_DEPTHWISE_CONV_2D_INT8() { return Register_DEPTHWISE_CONV_2D(); }
inline TFLMRegistration Register_FULLY_CONNECTED() { return Registered(BuiltinOperator_FULLY_CONNECTED); }
inline TFLMRegistration Register_FULLY_CONNECTED_INT8() { return Register_FULLY_CONNECTED(); }
inline TFLMRegistration Register_MAX_POOL_2D() { return Registered(BuiltinOperator_MAX_POOL_2D); }
inline TFLMRegistration Register_MAX_POOL_2D_INT8() { return Register_MAX_POOL_2D(); }
inline TFLMRegistration Register_RESHAPE() { return Registered(BuiltinOperator_RESHAPE); }
inline TFLMRegistration Register_SOFTMAX() { return Registered(BuiltinOperator_SOFTMAX); }
inline TFLMRegistration Register_SOFTMAX_INT8() { return Register_SOFTMAX(); }

class MicroOpResolver {
 public:
  virtual const TFLMRegistration *FindOp(BuiltinOperator op) const = 0;
  virtual const TFLMRegistration *FindOp(const char *op) const = 0;
  virtual ~MicroOpResolver() {}
};

template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  const TFLMRegistration *FindOp(BuiltinOperator op) const override {
    for (unsigned int i = 0; i < count_; ++i) {
      if (registrations_[i].builtin_code == op) {
        return &registrations_[i];
      }
    }
    return nullptr;
  }

  const TFLMRegistration *FindOp(const char *) const override { return nullptr; }

  TfLiteStatus AddAdd(const TFLMRegistration &registration = Register_ADD()) { return Add(registration); }
  TfLiteStatus AddAveragePool2D(const TFLMRegistration &registration = Register_AVERAGE_POOL_2D()) {
    return Add(registration);
  }
  TfLiteStatus AddConv2D(const TFLMRegistration &registration = Register_CONV_2D()) { return Add(registration); }
  TfLiteStatus AddDepthwiseConv2D(const TFLMRegistration &registration = Register_DEPTHWISE_CONV_2D()) {
    return Add(registration);
  }
  TfLiteStatus AddFullyConnected(const TFLMRegistration &registration = Register_FULLY_CONNECTED()) {
    return Add(registration);
  }
  TfLiteStatus AddMaxPool2D(const TFLMRegistration &registration = Register_MAX_POOL_2D()) {
    return Add(registration);
  }
  TfLiteStatus AddReshape(const TFLMRegistration &registration = Register_RESHAPE()) { return Add(registration); }
  TfLiteStatus AddSoftmax(const TFLMRegistration &registration = Register_SOFTMAX()) { return Add(registration); }

 private:
  TfLiteStatus Add(const TFLMRegistration &registration) {
    if (count_ >= tOpCount) {
      return kTfLiteError;
    }
    registrations_[count_++] = registration;
    return kTfLiteOk;
  }

  TFLMRegistration registrations_[tOpCount];
  unsigned int count_ = 0;
};

}  // namespace tflite

#endif
