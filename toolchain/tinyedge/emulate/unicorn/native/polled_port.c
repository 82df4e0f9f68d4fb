/* The commonest use of a serial port without DMA, a look at its status and a byte in or out, without a call of Python
 * for each. What is not served here, polled_uart.py serves: ends of lines, and waiting for the host. */
#include "registers.h"

#include <stdlib.h>

#define BUFFER_BYTES 4096u
#define LOOKS_MAX 8u /* in vain; then Python is asked, which has what arrived since */
#define BYTE 0xFFu

typedef struct {
  uint32_t rx_next, rx_count; /* rx[rx_next .. rx_count): arrived and not taken yet */
  uint32_t tx_count;
  uint32_t looks; /* in vain, since a byte was taken or sent */
  uint32_t status, receive, send; /* words of the page */
  uint32_t empty, full;           /* the status without a byte that waits, and with one */
  uint8_t rx[BUFFER_BYTES];
  uint8_t tx[BUFFER_BYTES];
  register_page *page;
} polled_port;

static int read_port(void *of, uint32_t word) {
  polled_port *port = of;
  uint32_t *values = port->page->values;
  const int waits = port->rx_next < port->rx_count;
  if (word == port->receive && waits) {
    values[word] = port->rx[port->rx_next++];
    port->looks = 0;
    return 1;
  }
  if (word != port->status || (!waits && ++port->looks >= LOOKS_MAX)) {
    return 0;
  }
  values[word] = waits ? port->full : port->empty;
  return 1;
}

static int write_port(void *of, uint32_t word, uint32_t value) {
  polled_port *port = of;
  if (word != port->send || port->tx_count == BUFFER_BYTES || (value & BYTE) == '\n') {
    return 0;
  }
  port->tx[port->tx_count++] = (uint8_t)value;
  port->looks = 0;
  return 1;
}

EXPORT polled_port *te_polled_port_new(register_page *page, const uint32_t *words, uint32_t empty, uint32_t full) {
  static const port_calls calls = {read_port, write_port};
  polled_port *port = calloc(1, sizeof *port);
  if (port != NULL) {
    port->status = words[0];
    port->receive = words[1];
    port->send = words[2];
    port->empty = empty;
    port->full = full;
    port->page = page;
    page->port = port;
    page->port_calls = &calls;
  }
  return port;
}
