/* SPDX-License-Identifier: Apache-2.0 */
/* What TensorFlow Lite Micro says, on the console: lines that start with `tflm: ` and carry no checksum, so that the
 * protocol takes them for noise and people can read them. Builds without texts leave it all out. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "te_bsp.h"
#include "tensorflow/lite/micro/debug_log.h"

/* Where formatted characters go: into `buffer`, which has room for `size` with the final zero, or to the console. */
typedef struct {
  char *buffer;
  size_t size;
  size_t count;
} sink;

static int at_start = 1; /* of a line on the console */

static void console(char c) {
  if (c == '\r') {
    return;
  }
  for (const char *mark = "\ntflm: "; at_start && c != '\n' && *mark != '\0'; ++mark) {
    te_bsp_putc(*mark);
  }
  at_start = c == '\n';
  te_bsp_putc(c);
}

static void put(sink *to, char c) {
  if (to->buffer == NULL) {
    console(c);
  } else if (to->count + 1 < to->size) {
    to->buffer[to->count] = c;
  }
  ++to->count;
}

static void put_text(sink *to, const char *text) {
  for (; *text != '\0'; ++text) {
    put(to, *text);
  }
}

static void put_unsigned(sink *to, uint64_t value, unsigned base) {
  char digits[20];
  unsigned count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value > 0);
  while (count > 0) {
    put(to, digits[--count]);
  }
}

static void put_signed(sink *to, int64_t value) {
  if (value < 0) {
    put(to, '-');
  }
  put_unsigned(to, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

/* Six decimals, as printf has them. */
static void put_float(sink *to, double value) {
  if (!(value < 4e9 && value > -4e9)) {
    put_text(to, "(large)");
    return;
  }
  if (value < 0) {
    put(to, '-');
    value = -value;
  }
  uint32_t whole = (uint32_t)value;
  uint32_t millionths = (uint32_t)((value - whole) * 1e6 + 0.5);
  if (millionths == 1000000u) {
    ++whole;
    millionths = 0;
  }
  put_unsigned(to, whole, 10);
  put(to, '.');
  for (uint32_t place = 100000u; place > 0; place /= 10) {
    put(to, (char)('0' + millionths / place % 10));
  }
}

static int64_t take_signed(va_list *args, int longs) {
  return longs == 0 ? va_arg(*args, int) : longs == 1 ? va_arg(*args, long) : va_arg(*args, long long);
}

static uint64_t take_unsigned(va_list *args, int longs) {
  return longs == 0   ? va_arg(*args, unsigned)
         : longs == 1 ? va_arg(*args, unsigned long)
                      : va_arg(*args, unsigned long long);
}

/* One conversion, without widths and flags, which are passed over; returns the character behind it. */
static const char *convert(sink *to, const char *format, va_list *args) {
  int longs = 0;
  for (; *format != '\0'; ++format) {
    if (*format == 'l') {
      ++longs;
    } else if (*format == 'z' || *format == 't' || *format == 'j') {
      longs = *format == 'j' ? 2 : sizeof(size_t) > sizeof(unsigned);
    } else if (!((*format >= '0' && *format <= '9') || *format == '.' || *format == '-' || *format == '+' ||
                 *format == ' ' || *format == '#' || *format == 'h')) {
      break;
    }
  }
  switch (*format) {
  case '\0':
    return format;
  case 'd':
  case 'i':
    put_signed(to, take_signed(args, longs));
    break;
  case 'u':
    put_unsigned(to, take_unsigned(args, longs), 10);
    break;
  case 'x':
  case 'X':
    put_unsigned(to, take_unsigned(args, longs), 16);
    break;
  case 'p':
    put_text(to, "0x");
    put_unsigned(to, (uintptr_t)va_arg(*args, void *), 16);
    break;
  case 'c':
    put(to, (char)va_arg(*args, int));
    break;
  case 's':
    put_text(to, va_arg(*args, const char *));
    break;
  case 'f':
  case 'g':
  case 'e':
    put_float(to, va_arg(*args, double));
    break;
  default:
    put(to, *format);
    break;
  }
  return format + 1;
}

static void put_formatted(sink *to, const char *format, va_list *args) {
  while (*format != '\0') {
    if (*format == '%') {
      format = convert(to, format + 1, args);
    } else {
      put(to, *format++);
    }
  }
}

void DebugLog(const char *format, va_list args) {
  sink to = {NULL, 0, 0};
  va_list copy; /* an argument of type va_list may be a pointer, of which no pointer can be taken */
  va_copy(copy, args);
  put_formatted(&to, format, &copy);
  va_end(copy);
}

int DebugVsnprintf(char *buffer, size_t buf_size, const char *format, va_list vlist) {
  char nowhere[1];
  sink to = {buffer == NULL ? nowhere : buffer, buffer == NULL ? 0 : buf_size, 0};
  va_list copy;
  va_copy(copy, vlist);
  put_formatted(&to, format, &copy);
  va_end(copy);
  if (to.size > 0) {
    to.buffer[to.count < to.size ? to.count : to.size - 1] = '\0';
  }
  return (int)to.count;
}

_Noreturn void abort(void); /* stdlib.h's, which compilers without a C library lack */

/* Where TensorFlow Lite Micro gives up. */
_Noreturn void abort(void) {
  sink to = {NULL, 0, 0};
  put_text(&to, "aborted\n");
  te_bsp_halt(1);
}
