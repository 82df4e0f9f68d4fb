/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of element-wise operators over operands that broadcast, from run to run along the innermost axis. */
#ifndef TE_BROADCAST_H
#define TE_BROADCAST_H

#include <stdbool.h>
#include <stdint.h>

#define TE_BROADCAST_AXES 4
#define TE_BROADCAST_OPERANDS 3

/* The output's axes, those that behave alike merged, the last one innermost; missing ones have size 1. */
typedef struct {
  uint32_t sizes[TE_BROADCAST_AXES];
  int32_t steps[TE_BROADCAST_OPERANDS][TE_BROADCAST_AXES]; /* elements from one index to the next; 0 where broadcast */
} te_broadcast;

/* Where a walk is; all zero at its beginning. */
typedef struct {
  int32_t offsets[TE_BROADCAST_OPERANDS]; /* of the present run in each operand, in elements */
  uint32_t at[TE_BROADCAST_AXES - 1];
} te_walk;

/* Goes on to the next run; false after the last one. Runs are visited in the order of the output. */
bool te_broadcast_next(const te_broadcast *shape, te_walk *walk);

/* Parameters of functions that need no others. */
typedef struct {
  te_broadcast shape;
} te_pair_params;

/* Defines the function `name` of two operands. Its parameter `p` points to a struct `params` that has a member `shape`;
 * `expression` is the result of type `result_type` for the elements `x` and `y` of type `type`. */
#define TE_ELEMENTWISE(name, params, type, result_type, expression)                                                    \
  void name(const params *p, const type *input1, const type *input2, result_type *output) {                            \
    te_walk walk = {{0}, {0}};                                                                                         \
    do {                                                                                                               \
      const type *a = input1 + walk.offsets[0];                                                                        \
      const type *b = input2 + walk.offsets[1];                                                                        \
      for (uint32_t left = p->shape.sizes[TE_BROADCAST_AXES - 1]; left > 0; left--) {                                  \
        const type x = *a;                                                                                             \
        const type y = *b;                                                                                             \
        *output++ = (result_type)(expression);                                                                         \
        a += p->shape.steps[0][TE_BROADCAST_AXES - 1];                                                                 \
        b += p->shape.steps[1][TE_BROADCAST_AXES - 1];                                                                 \
      }                                                                                                                \
    } while (te_broadcast_next(&p->shape, &walk));                                                                     \
  }

#endif
