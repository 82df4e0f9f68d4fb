/* Serves reads and writes of plain registers natively, and asks Python for the others. */
#include "registers.h"

#include <stdlib.h>

#define PAGE_SHIFT 12u
#define IN_PAGE 0xFFFu
#define WORD 4u

typedef struct {
  uint64_t (*read)(uint64_t offset, uint32_t size);
  void (*write)(uint64_t offset, uint32_t size, uint64_t value);
  uint32_t page_count;
  register_page *pages[]; /* NULL where nobody claimed the page yet */
} window;

EXPORT window *te_window_new(uint32_t page_count, uint64_t (*read)(uint64_t, uint32_t),
                             void (*write)(uint64_t, uint32_t, uint64_t)) {
  window *w = calloc(1, sizeof *w + page_count * sizeof w->pages[0]);
  if (w != NULL) {
    w->read = read;
    w->write = write;
    w->page_count = page_count;
  }
  return w;
}

EXPORT void te_window_set_page(window *w, uint32_t index, register_page *page) {
  w->pages[index] = page;
}

static register_page *page_at(const window *w, uint64_t offset, uint32_t size) {
  const uint64_t index = offset >> PAGE_SHIFT;
  return size == WORD && offset % WORD == 0 && index < w->page_count ? w->pages[index] : NULL;
}

EXPORT uint64_t te_window_read(void *engine, uint64_t offset, unsigned size, void *user) {
  (void)engine;
  const window *w = user;
  register_page *page = page_at(w, offset, size);
  if (page != NULL) {
    const uint32_t word = (uint32_t)(offset & IN_PAGE) / WORD;
    if ((page->calls[word] & CALLS_READ) == 0 || (page->port != NULL && page->port_calls->read(page->port, word))) {
      return page->values[word];
    }
  }
  return w->read(offset, size);
}

EXPORT void te_window_write(void *engine, uint64_t offset, unsigned size, uint64_t value, void *user) {
  (void)engine;
  const window *w = user;
  register_page *page = page_at(w, offset, size);
  if (page != NULL) {
    const uint32_t word = (uint32_t)(offset & IN_PAGE) / WORD;
    if ((page->calls[word] & CALLS_WRITE) == 0) {
      page->values[word] = (uint32_t)value;
      return;
    }
    if (page->port != NULL && page->port_calls->write(page->port, word, (uint32_t)value)) {
      return;
    }
  }
  w->write(offset, size, value);
}
