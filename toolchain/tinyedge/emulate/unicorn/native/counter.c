/* Counts instructions and cycles of an emulated core, and looks whether its registers meet what the instructions to
 * come precondition. Unicorn calls te_block_hook at the start of every basic block. The cost of a block and its
 * conditions are asked for once (`resolve`) and kept by address. The layout is mirrored in native_library.py.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define REGIONS_MAX 16u
#define HALFWORD 2u
#define TERMS_MAX 3u
#define WATCHED_SIZE 1u

enum { ALIGNMENT, STACK, FLOAT }; /* Kind of strict/preconditions.py; any other is never met */

typedef struct {
  uint32_t last; /* of its block or instruction */
  uint32_t kind;
  uint32_t bound;
  uint32_t constant; /* a sum of it and of */
  uint32_t term_count;
  struct {
    uint32_t id; /* a register, Unicorn's number of it, */
    uint32_t factor;
  } terms[TERMS_MAX];
} condition;

typedef struct {
  uint32_t size; /* bytes of the block that was costed; 0: none yet */
  uint32_t instructions;
  uint32_t cycles;
  uint32_t taken_cycles;
  uint32_t conditions; /* of the block: number of the first; 0: none */
  uint32_t watched;    /* of the instruction here, which te_watch_hook is called for */
  uint32_t loads;      /* of the block: number of the first group; 0: none */
} block_cost;

typedef struct {
  uint64_t start;
  uint64_t size;
  block_cost *blocks; /* one for each halfword */
} region;

typedef struct {
  uint64_t instructions;
  uint64_t cycles;
  uint64_t deadline; /* stop before the first block that begins at or after this many cycles */
  uint64_t block_end;
  uint32_t taken_cycles; /* due when the next block is not at block_end */
  uint32_t stopped;      /* the deadline was met, or `again` */
  uint32_t again;        /* resolve: stop before this block, to look at it again */
  uint32_t float_on;
  uint32_t unchecked;    /* conditions do not matter any more */
  uint32_t suspect_size; /* stopped before a block of that size, or WATCHED_SIZE for an instruction that is watched, */
  uint64_t suspect;      /* at that address, as it would break a condition */
  void (*resolve)(uint64_t address, uint32_t size, block_cost *cost);
  int (*stop)(void *engine);
  int (*read_register)(void *engine, int id, void *value);
  memory_path *memory;   /* or NULL: flash answers at once */
  condition *conditions; /* the first is not used */
  uint32_t condition_count;
  uint32_t region_count;
  region regions[REGIONS_MAX];
  block_cost elsewhere;
} counter;

EXPORT counter *te_counter_new(void (*resolve)(uint64_t, uint32_t, block_cost *), int (*stop)(void *),
                               int (*read_register)(void *, int, void *)) {
  counter *c = calloc(1, sizeof *c);
  if (c != NULL) {
    c->deadline = UINT64_MAX;
    c->resolve = resolve;
    c->stop = stop;
    c->read_register = read_register;
    c->condition_count = 1;
  }
  return c;
}

/* Code may lie in [start, start + size). Returns 0, or -1 without memory. */
EXPORT int te_counter_add_region(counter *c, uint64_t start, uint64_t size) {
  if (c->region_count == REGIONS_MAX) {
    return -1;
  }
  block_cost *blocks = calloc(size / HALFWORD, sizeof *blocks);
  if (blocks == NULL) {
    return -1;
  }
  c->regions[c->region_count++] = (region){start, size, blocks};
  return 0;
}

static block_cost *cost_at(counter *c, uint64_t address) {
  for (uint32_t i = 0; i < c->region_count; ++i) {
    const uint64_t offset = address - c->regions[i].start;
    if (offset < c->regions[i].size) {
      return &c->regions[i].blocks[offset / HALFWORD];
    }
  }
  c->elsewhere.size = 0;
  return &c->elsewhere;
}

/* Keep the conditions of a block or instruction. Returns the number of the first, or 0 without memory. */
EXPORT uint32_t te_counter_add_conditions(counter *c, const condition *conditions, uint32_t count) {
  const uint32_t first = c->condition_count;
  condition *grown = realloc(c->conditions, (first + count) * sizeof *grown);
  if (grown == NULL) {
    return 0;
  }
  memcpy(&grown[first], conditions, count * sizeof *grown);
  c->conditions = grown;
  c->condition_count = first + count;
  return first;
}

/* te_watch_hook will be called for the instruction at `address`. */
EXPORT void te_counter_watch(counter *c, uint64_t address, uint32_t first) {
  cost_at(c, address)->watched = first;
}

/* Fetches and loads of flash are counted from now on, and their stalls are cycles. */
EXPORT void te_counter_set_memory(counter *c, memory_path *memory) {
  c->memory = memory;
}

static int is_met(const counter *c, void *engine, const condition *wanted) {
  uint32_t value = wanted->constant;
  for (uint32_t i = 0; i < wanted->term_count; ++i) {
    uint32_t content = 0;
    c->read_register(engine, (int)wanted->terms[i].id, &content);
    value += wanted->terms[i].factor * content;
  }
  switch (wanted->kind) {
  case ALIGNMENT:
    return (value & (wanted->bound - 1)) == 0;
  case STACK:
    return value >= wanted->bound;
  case FLOAT:
    return c->float_on != 0;
  default:
    return 0;
  }
}

/* All conditions from number `first` on are met; otherwise stop, and say where. */
static int are_met(counter *c, void *engine, uint32_t first, uint64_t address, uint32_t size) {
  const condition *wanted = &c->conditions[first];
  do {
    if (!is_met(c, engine, wanted) && !c->unchecked) {
      c->suspect = address;
      c->suspect_size = size;
      c->stop(engine);
      return 0;
    }
  } while (!wanted++->last);
  return 1;
}

EXPORT void te_watch_hook(void *engine, uint64_t address, uint32_t size, void *user) {
  (void)size;
  counter *c = user;
  const uint32_t first = cost_at(c, address)->watched;
  if (first != 0) {
    (void)are_met(c, engine, first, address, WATCHED_SIZE);
  }
}

EXPORT void te_loads_hook(void *engine, uint64_t address, uint32_t size, void *user) {
  (void)size;
  counter *c = user;
  c->cycles += te_memory_reach(c->memory, engine, address);
}

EXPORT void te_block_hook(void *engine, uint64_t address, uint32_t size, void *user) {
  counter *c = user;
  if (c->memory != NULL) {
    c->cycles += te_memory_end_block(c->memory, engine);
  }
  if (c->cycles >= c->deadline) {
    c->deadline = UINT64_MAX;
    c->stopped = 1;
    c->stop(engine); /* before the block: it is counted when the run goes on with it */
    return;
  }
  block_cost *cost = cost_at(c, address);
  if (cost->size != size) {
    c->resolve(address, size, cost);
    cost->size = size;
    if (c->again) {
      c->again = 0;
      c->stopped = 1;
      c->stop(engine);
      return;
    }
  }
  if (cost->conditions != 0 && !are_met(c, engine, cost->conditions, address, size)) {
    return;
  }
  c->instructions += cost->instructions;
  c->cycles += cost->cycles;
  if (address != c->block_end) {
    c->cycles += c->taken_cycles;
  }
  c->block_end = address + size;
  c->taken_cycles = cost->taken_cycles;
  if (c->memory != NULL) {
    c->cycles += te_memory_begin_block(c->memory, engine, address, size, cost->loads);
  }
}
