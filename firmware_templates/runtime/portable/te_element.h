/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of the integer types that cross the borders of a model. */
#ifndef TE_ELEMENT_H
#define TE_ELEMENT_H

#include <stdint.h>

typedef enum { TE_S8, TE_U8, TE_S16, TE_S32 } te_element_type;

static inline int32_t te_load(te_element_type type, const void *data, uint32_t index) {
  switch (type) {
  case TE_S8:
    return ((const int8_t *)data)[index];
  case TE_U8:
    return ((const uint8_t *)data)[index];
  case TE_S16:
    return ((const int16_t *)data)[index];
  default:
    return ((const int32_t *)data)[index];
  }
}

/* `value` is within the range of the type. */
static inline void te_store(te_element_type type, void *data, uint32_t index, int32_t value) {
  switch (type) {
  case TE_S8:
    ((int8_t *)data)[index] = (int8_t)value;
    break;
  case TE_U8:
    ((uint8_t *)data)[index] = (uint8_t)value;
    break;
  case TE_S16:
    ((int16_t *)data)[index] = (int16_t)value;
    break;
  default:
    ((int32_t *)data)[index] = value;
    break;
  }
}

/* The limits of a type. */
static inline int32_t te_lowest(te_element_type type) {
  return type == TE_S8 ? INT8_MIN : type == TE_U8 ? 0 : type == TE_S16 ? INT16_MIN : INT32_MIN;
}

static inline int32_t te_highest(te_element_type type) {
  return type == TE_S8 ? INT8_MAX : type == TE_U8 ? UINT8_MAX : type == TE_S16 ? INT16_MAX : INT32_MAX;
}

#endif
