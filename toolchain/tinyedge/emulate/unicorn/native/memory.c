/* Caches in front of flash: fully or set associative, the line used longest ago is replaced, a line is read sector by
 * sector. Code counts by block; loads by their addresses, which are sums of registers in front of the block or of an
 * instruction in it, so that no access needs a hook of its own.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define KIND_CODE 1u
#define KIND_DATA 2u
#define FRACTION_BITS 8u

typedef struct {
  uint64_t used;
  uint32_t tag; /* number of the line in flash */
  uint32_t sectors;
} cache_line;

typedef struct {
  uint32_t ways, sets;
  uint32_t line_shift, sector_shift;
  uint64_t clock;
  cache_line *lines;
  uint8_t *way_of; /* line of flash -> its way and 1, 0 when it is in none */
} cache;

struct memory_path {
  memory_events events;
  uint64_t start, size;
  int (*read_register)(void *engine, int id, void *value);
  uint32_t register_ids[REGISTERS_MAX];
  uint32_t flags_id;
  uint32_t code_stall, data_stall, stall_fraction;
  uint32_t last_sector; /* of code */
  uint32_t fetch_shift;
  cache caches[2];
  uint32_t cache_count;
  cache *code, *data;
  load_group *groups; /* the first is not used */
  load *loads;
  uint32_t group_count, load_count;
  uint32_t next; /* group of the current block, 0: no more */
};

EXPORT memory_path *te_memory_new(uint64_t start, uint64_t size, const uint32_t *register_ids, uint32_t flags_id,
                                  int (*read_register)(void *, int, void *)) {
  memory_path *m = calloc(1, sizeof *m);
  if (m != NULL) {
    m->start = start;
    m->size = size;
    memcpy(m->register_ids, register_ids, sizeof m->register_ids);
    m->flags_id = flags_id;
    m->read_register = read_register;
    m->last_sector = UINT32_MAX;
    m->group_count = 1;
  }
  return m;
}

static uint32_t log2_of(uint32_t power) {
  uint32_t places = 0;
  while (power >> places > 1) {
    ++places;
  }
  return places;
}

EXPORT int te_memory_add_cache(memory_path *m, uint32_t kinds, uint32_t lines, uint32_t ways, uint32_t line_bytes,
                               uint32_t sector_bytes) {
  cache *c = &m->caches[m->cache_count++];
  c->ways = ways;
  c->sets = lines / ways;
  c->line_shift = log2_of(line_bytes);
  c->sector_shift = log2_of(sector_bytes);
  c->lines = calloc(lines, sizeof *c->lines);
  c->way_of = calloc((m->size >> c->line_shift) + 1, 1);
  if ((kinds & KIND_CODE) != 0) {
    m->code = c;
    m->fetch_shift = c->sector_shift;
  }
  if ((kinds & KIND_DATA) != 0) {
    m->data = c;
  }
  return c->lines != NULL && c->way_of != NULL ? 0 : -1;
}

EXPORT void te_memory_set_stalls(memory_path *m, uint32_t code, uint32_t data) {
  m->code_stall = code;
  m->data_stall = data;
}

static int append(void **array, uint32_t *count, const void *more, uint32_t more_count, size_t size) {
  char *grown = realloc(*array, (*count + more_count) * size);
  if (grown == NULL) {
    return -1;
  }
  memcpy(grown + *count * size, more, more_count * size);
  *array = grown;
  *count += more_count;
  return 0;
}

EXPORT uint32_t te_memory_add_groups(memory_path *m, const load_group *groups, uint32_t group_count, const load *loads,
                                     uint32_t load_count) {
  const uint32_t first = m->group_count, first_load = m->load_count;
  if (append((void **)&m->loads, &m->load_count, loads, load_count, sizeof *loads) != 0 ||
      append((void **)&m->groups, &m->group_count, groups, group_count, sizeof *groups) != 0) {
    return 0;
  }
  for (uint32_t i = first; i < m->group_count; ++i) {
    m->groups[i].first += first_load;
  }
  return first;
}

EXPORT const memory_events *te_memory_events(const memory_path *m) {
  return &m->events;
}

/* The line of flash `tag` with the sectors of `wanted`; returns how many of them had to be read. */
static uint32_t misses(cache *c, uint32_t tag, uint32_t wanted) {
  cache_line *set = &c->lines[tag % c->sets * c->ways];
  const uint32_t known = c->way_of[tag];
  cache_line *line;
  if (known != 0) {
    line = &set[known - 1];
  } else {
    line = set;
    for (uint32_t way = 1; way < c->ways; ++way) {
      if (set[way].used < line->used) {
        line = &set[way];
      }
    }
    if (line->used != 0) {
      c->way_of[line->tag] = 0;
    }
    line->tag = tag;
    line->sectors = 0;
    c->way_of[tag] = (uint8_t)(line - set + 1);
  }
  line->used = ++c->clock;
  uint32_t missing = wanted & ~line->sectors, count = 0;
  line->sectors |= wanted;
  for (; missing != 0; missing &= missing - 1) {
    ++count;
  }
  return count;
}

/* Bytes [offset, end) of flash. */
static uint32_t touch(cache *c, uint64_t offset, uint64_t end) {
  uint32_t count = 0;
  while (offset < end) {
    const uint32_t tag = (uint32_t)(offset >> c->line_shift);
    const uint64_t line = (uint64_t)tag << c->line_shift, behind = line + (1ull << c->line_shift);
    const uint32_t first = (uint32_t)((offset - line) >> c->sector_shift);
    const uint32_t last = (uint32_t)(((end < behind ? end : behind) - 1 - line) >> c->sector_shift);
    count += misses(c, tag, (uint32_t)((2ull << last) - (1ull << first)));
    offset = behind;
  }
  return count;
}

static uint64_t stall(memory_path *m, uint32_t per_256, uint32_t count) {
  const uint64_t cycles = (uint64_t)per_256 * count + m->stall_fraction;
  m->stall_fraction = (uint32_t)(cycles & ((1u << FRACTION_BITS) - 1));
  m->events.stall_cycles += cycles >> FRACTION_BITS;
  return cycles >> FRACTION_BITS;
}

static uint64_t fetch(memory_path *m, uint64_t offset, uint32_t size) {
  const uint32_t first = (uint32_t)(offset >> m->fetch_shift);
  const uint32_t last = (uint32_t)((offset + size - 1) >> m->fetch_shift);
  const uint32_t again = first == m->last_sector;
  m->last_sector = last;
  if (again && first == last) {
    return 0;
  }
  m->events.code_lines += last - first + 1 - again;
  const uint64_t begin = again ? (uint64_t)(first + 1) << m->fetch_shift : offset;
  const uint32_t count = touch(m->code, begin, offset + size);
  m->events.code_misses += count;
  return count == 0 ? 0 : stall(m, m->code_stall, count);
}

/* Whether a condition (Armv7-M ARM, A7.3) holds with these flags. */
static int holds(uint32_t condition, uint32_t flags) {
  const uint32_t n = flags >> 31, z = flags >> 30 & 1, c = flags >> 29 & 1, v = flags >> 28 & 1;
  uint32_t met;
  switch (condition >> 1) {
  case 0:
    met = z;
    break;
  case 1:
    met = c;
    break;
  case 2:
    met = n;
    break;
  case 3:
    met = v;
    break;
  case 4:
    met = c & (z ^ 1);
    break;
  case 5:
    met = n == v;
    break;
  case 6:
    met = (z ^ 1) & (n == v);
    break;
  default:
    return 1;
  }
  return met != (condition & 1);
}

static uint64_t read_group(memory_path *m, void *engine, const load_group *group) {
  uint32_t registers[REGISTERS_MAX];
  uint64_t cycles = 0;
  for (uint32_t left = group->registers, number = 0; left != 0; left >>= 1, ++number) {
    if ((left & 1) != 0) {
      registers[number] = 0;
      m->read_register(engine, (int)m->register_ids[number], &registers[number]);
    }
  }
  for (const load *l = &m->loads[group->first], *end = l + group->count; l < end; ++l) {
    uint32_t address = l->constant;
    for (uint32_t i = 0; i < l->term_count; ++i) {
      address += l->terms[i].factor * registers[l->terms[i].number];
    }
    const uint64_t offset = address - m->start;
    if (offset >= m->size) {
      continue;
    }
    if (l->condition != ALWAYS) {
      uint32_t flags = 0;
      m->read_register(engine, (int)m->flags_id, &flags);
      if (!holds(l->condition, flags)) {
        continue;
      }
    }
    const uint32_t count = m->data != NULL ? touch(m->data, offset, offset + (uint64_t)l->width * l->count) : l->count;
    m->events.data_misses += count;
    cycles += count == 0 ? 0 : stall(m, m->data_stall, count);
  }
  return cycles;
}

uint64_t te_memory_end_block(memory_path *m, void *engine) {
  uint64_t cycles = 0;
  while (m->next != 0) {
    const load_group *group = &m->groups[m->next];
    m->next = group->last ? 0 : m->next + 1;
    cycles += group->behind ? read_group(m, engine, group) : 0;
  }
  return cycles;
}

uint64_t te_memory_begin_block(memory_path *m, void *engine, uint64_t address, uint32_t size, uint32_t groups) {
  const uint64_t offset = address - m->start;
  uint64_t cycles = 0;
  if (offset < m->size) {
    cycles += fetch(m, offset, size);
  } else {
    m->last_sector = UINT32_MAX;
  }
  m->next = groups;
  return groups != 0 && m->groups[groups].address == address ? cycles + te_memory_reach(m, engine, address) : cycles;
}

uint64_t te_memory_reach(memory_path *m, void *engine, uint64_t address) {
  while (m->next != 0) {
    const load_group *group = &m->groups[m->next];
    if (group->behind || group->address > address) {
      return 0;
    }
    m->next = group->last ? 0 : m->next + 1;
    if (group->address == address) {
      return read_group(m, engine, group);
    }
  }
  return 0;
}
