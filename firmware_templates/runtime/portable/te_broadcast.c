/* SPDX-License-Identifier: Apache-2.0 */
#include "te_broadcast.h"

bool te_broadcast_next(const te_broadcast *shape, te_walk *walk) {
  for (int32_t axis = TE_BROADCAST_AXES - 2; axis >= 0; axis--) {
    walk->at[axis]++;
    if (walk->at[axis] < shape->sizes[axis]) {
      for (int32_t i = 0; i < TE_BROADCAST_OPERANDS; i++) {
        walk->offsets[i] += shape->steps[i][axis];
      }
      return true;
    }
    walk->at[axis] = 0; /* back to the beginning of this axis, and one further along the next outer one */
    for (int32_t i = 0; i < TE_BROADCAST_OPERANDS; i++) {
      walk->offsets[i] -= shape->steps[i][axis] * (int32_t)(shape->sizes[axis] - 1);
    }
  }
  return false;
}
