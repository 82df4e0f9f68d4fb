/* Stand-in: a model is its file. */
#ifndef STAND_IN_SCHEMA_H
#define STAND_IN_SCHEMA_H

#include <cstdint>

namespace tflite {

struct Model {
  uint8_t first;
};

inline const Model *GetModel(const void *buffer) { return static_cast<const Model *>(buffer); }

}  // namespace tflite

#endif
