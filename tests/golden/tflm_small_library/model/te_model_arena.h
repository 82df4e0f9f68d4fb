/* SPDX-License-Identifier: Apache-2.0 */
/* small: the memory of the interpreter. Settled by a test. */
#ifndef TE_MODEL_ARENA_H
#define TE_MODEL_ARENA_H

#define TE_MODEL_ARENA_BYTES 4096

#endif
