/* What an emulated core reads from flash, and misses of the caches in front of it. Layouts are mirrored in
 * native_library.py. */
#ifndef TE_MEMORY_H
#define TE_MEMORY_H

#include "registers.h"

#define REGISTERS_MAX 16u
#define LOAD_TERMS_MAX 3u
#define ALWAYS 14u

typedef struct {
  uint32_t constant; /* the address is a sum of it and of */
  uint32_t term_count;
  struct {
    uint32_t number; /* a register of the core, */
    uint32_t factor;
  } terms[LOAD_TERMS_MAX];
  uint32_t width;     /* bytes of each read */
  uint32_t count;     /* reads, one behind the other */
  uint32_t condition; /* Arm's number of it: the load may be skipped */
} load;

/* Loads whose addresses are known from the registers in front of the instruction at `address`, the first of a block or
 * one that te_loads_hook is called for, or from those behind the block. */
typedef struct {
  uint32_t address;
  uint32_t registers; /* bit: is needed */
  uint32_t first;     /* load */
  uint32_t count;
  uint32_t last;   /* of its block */
  uint32_t behind; /* the registers are those behind the block; none that are not follow */
} load_group;

typedef struct {
  uint64_t code_misses;
  uint64_t data_misses;
  uint64_t code_lines; /* fetched, were there no cache */
  uint64_t stall_cycles;
} memory_events;

typedef struct memory_path memory_path;

EXPORT memory_path *te_memory_new(uint64_t start, uint64_t size, const uint32_t *register_ids, uint32_t flags_id,
                                  int (*read_register)(void *, int, void *));

/* A cache of code, of data (`kind` bits 1 and 2), or of both. Returns 0, or -1 without memory. */
EXPORT int te_memory_add_cache(memory_path *m, uint32_t kinds, uint32_t lines, uint32_t ways, uint32_t line_bytes,
                               uint32_t sector_bytes);

/* Cycles for 256 misses each. */
EXPORT void te_memory_set_stalls(memory_path *m, uint32_t code, uint32_t data);

/* Keep the loads of a block. Returns the number of their first group, or 0 without memory. */
EXPORT uint32_t te_memory_add_groups(memory_path *m, const load_group *groups, uint32_t group_count, const load *loads,
                                     uint32_t load_count);

EXPORT const memory_events *te_memory_events(const memory_path *m);

/* The block before has ended: loads that are told from its last registers are done. Returns cycles of stalls. */
uint64_t te_memory_end_block(memory_path *m, void *engine);

/* A block begins: its code is fetched, and the loads of its first group are done. Returns cycles of stalls. */
uint64_t te_memory_begin_block(memory_path *m, void *engine, uint64_t address, uint32_t size, uint32_t groups);

/* The instruction at `address`, which is hooked for its loads. Returns cycles of stalls. */
uint64_t te_memory_reach(memory_path *m, void *engine, uint64_t address);

#endif
