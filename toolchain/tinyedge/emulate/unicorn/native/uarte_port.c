/* The commonest use of a UARTE of Nordic, polled transfers of one byte, without a call of Python for each byte.
 * What is not served here, uarte.py serves: other lengths, interrupts, shortcuts, ends of lines, and waiting. */
#include "registers.h"

#include <stdlib.h>

enum {
  STARTRX = 0x000 / 4,
  STARTTX = 0x008 / 4,
  EVENTS_RXDRDY = 0x108 / 4,
  EVENTS_ENDRX = 0x110 / 4,
  EVENTS_TXDRDY = 0x11C / 4,
  EVENTS_ENDTX = 0x120 / 4,
  EVENTS_RXSTARTED = 0x14C / 4,
  EVENTS_TXSTARTED = 0x150 / 4,
  SHORTS = 0x200 / 4,
  ENABLE = 0x500 / 4,
  RXD_PTR = 0x534 / 4,
  RXD_MAXCNT = 0x538 / 4,
  RXD_AMOUNT = 0x53C / 4,
  TXD_PTR = 0x544 / 4,
  TXD_MAXCNT = 0x548 / 4,
  TXD_AMOUNT = 0x54C / 4,
};

#define ENABLED 8u
#define BUFFER_BYTES 4096u

typedef struct {
  uint32_t polled; /* Python: no interrupt is enabled */
  uint32_t target; /* the running transfer of the receiver: where the next byte goes, */
  uint32_t room;   /* how many more (0: no transfer), */
  uint32_t received;
  uint32_t rx_next, rx_count; /* rx[rx_next .. rx_count): arrived and not taken yet */
  uint32_t tx_count;
  uint8_t rx[BUFFER_BYTES];
  uint8_t tx[BUFFER_BYTES];
  register_page *page;
  void *engine;
  int (*read_memory)(void *engine, uint64_t address, void *bytes, uint64_t size);
  int (*write_memory)(void *engine, uint64_t address, const void *bytes, uint64_t size);
  uint32_t flash_start, flash_end; /* DMA cannot write there */
} uarte_port;

static int is_simple(const uarte_port *port, uint32_t count) {
  const uint32_t *values = port->page->values;
  return port->polled && values[ENABLE] == ENABLED && values[SHORTS] == 0 && count == 1;
}

static int send(uarte_port *port) {
  uint32_t *values = port->page->values;
  uint8_t byte;
  if (!is_simple(port, values[TXD_MAXCNT]) || port->tx_count == BUFFER_BYTES ||
      port->read_memory(port->engine, values[TXD_PTR], &byte, 1) != 0 || byte == '\n') {
    return 0;
  }
  port->tx[port->tx_count++] = byte;
  values[TXD_AMOUNT] = 1;
  values[EVENTS_TXSTARTED] = values[EVENTS_TXDRDY] = values[EVENTS_ENDTX] = 1;
  return 1;
}

static int start_receiving(uarte_port *port) {
  uint32_t *values = port->page->values;
  if (!is_simple(port, values[RXD_MAXCNT])) {
    return 0;
  }
  port->target = values[RXD_PTR];
  port->room = 1;
  port->received = 0;
  values[EVENTS_RXSTARTED] = 1;
  return 1;
}

static int receive(uarte_port *port) {
  uint32_t *values = port->page->values;
  if (!is_simple(port, port->room) || port->rx_next == port->rx_count ||
      (port->target >= port->flash_start && port->target < port->flash_end) ||
      port->write_memory(port->engine, port->target, &port->rx[port->rx_next], 1) != 0) {
    return 0;
  }
  ++port->rx_next;
  port->room = 0;
  ++port->received;
  values[RXD_AMOUNT] = port->received;
  values[EVENTS_RXDRDY] = values[EVENTS_ENDRX] = 1;
  return 1;
}

static int read_port(void *of, uint32_t word) {
  uarte_port *port = of;
  return word == EVENTS_ENDRX && (port->page->values[EVENTS_ENDRX] != 0 || receive(port));
}

static int write_port(void *of, uint32_t word, uint32_t value) {
  uarte_port *port = of;
  if (value != 1) {
    return 0;
  }
  return word == STARTTX ? send(port) : word == STARTRX && start_receiving(port);
}

EXPORT uarte_port *te_port_new(register_page *page, void *engine,
                               int (*read_memory)(void *, uint64_t, void *, uint64_t),
                               int (*write_memory)(void *, uint64_t, const void *, uint64_t), uint32_t flash_start,
                               uint32_t flash_end) {
  static const port_calls calls = {read_port, write_port};
  uarte_port *port = calloc(1, sizeof *port);
  if (port != NULL) {
    port->polled = 1;
    port->page = page;
    port->engine = engine;
    port->read_memory = read_memory;
    port->write_memory = write_memory;
    port->flash_start = flash_start;
    port->flash_end = flash_end;
    page->port = port;
    page->port_calls = &calls;
  }
  return port;
}
