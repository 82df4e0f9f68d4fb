/* Counts instructions and cycles of an emulated core. Unicorn calls te_block_hook at the start of every basic block.
 * The cost of a block is asked for once (`resolve`) and kept by address. The layout is mirrored in native_library.py.
 */
#include "registers.h"

#include <stdlib.h>

#define REGIONS_MAX 16u
#define HALFWORD 2u

typedef struct {
  uint32_t size; /* bytes of the block that was costed; 0: none yet */
  uint32_t instructions;
  uint32_t cycles;
  uint32_t taken_cycles;
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
  uint32_t stopped;      /* the deadline was met */
  void (*resolve)(uint64_t address, uint32_t size, block_cost *cost);
  int (*stop)(void *engine);
  uint32_t region_count;
  region regions[REGIONS_MAX];
  block_cost elsewhere;
} counter;

EXPORT counter *te_counter_new(void (*resolve)(uint64_t, uint32_t, block_cost *), int (*stop)(void *)) {
  counter *c = calloc(1, sizeof *c);
  if (c != NULL) {
    c->deadline = UINT64_MAX;
    c->resolve = resolve;
    c->stop = stop;
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

EXPORT void te_block_hook(void *engine, uint64_t address, uint32_t size, void *user) {
  counter *c = user;
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
  }
  c->instructions += cost->instructions;
  c->cycles += cost->cycles;
  if (address != c->block_end) {
    c->cycles += c->taken_cycles;
  }
  c->block_end = address + size;
  c->taken_cycles = cost->taken_cycles;
}
