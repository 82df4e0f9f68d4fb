/* Stand-in. */
#ifndef STAND_IN_TIME_H
#define STAND_IN_TIME_H

#include <cstdint>

namespace tflite {

uint32_t ticks_per_second();

uint32_t GetCurrentTimeTicks();

}  // namespace tflite

#endif
