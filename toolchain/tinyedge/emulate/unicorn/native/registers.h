/* Memory-mapped registers that Python and C share. The layouts are mirrored in peripherals/page.py and
 * native_library.py. */
#ifndef TE_REGISTERS_H
#define TE_REGISTERS_H

#include <stdint.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define PAGE_WORDS 1024u
#define CALLS_READ 1u
#define CALLS_WRITE 2u

/* A serial port serves an access to register `word` of its page; 0: Python has to. */
typedef struct {
  int (*read)(void *port, uint32_t word);
  int (*write)(void *port, uint32_t word, uint32_t value);
} port_calls;

typedef struct {
  uint32_t values[PAGE_WORDS];
  uint8_t calls[PAGE_WORDS]; /* CALLS_*: a peripheral in Python has to be asked; other registers are plain storage */
  void *port;                /* serves the commonest accesses of a serial port here, or NULL */
  const port_calls *port_calls;
} register_page;

#endif
