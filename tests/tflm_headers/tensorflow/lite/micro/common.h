/* Stand-in: what the resolver and the interpreter share. */
#ifndef STAND_IN_COMMON_H
#define STAND_IN_COMMON_H

#include <cstddef>
#include <cstdint>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

struct TfLiteContext {
  int sum;
};

struct TfLiteNode {
  const uint8_t *input;
};

struct TFLMRegistration {
  TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
  int builtin_code;
  const char *custom_name;
};

union TfLitePtrUnion {
  void *data;
};

struct TfLiteTensor {
  TfLitePtrUnion data;
};

#endif
