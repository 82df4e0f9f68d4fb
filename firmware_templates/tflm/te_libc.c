/* SPDX-License-Identifier: Apache-2.0 */
/* The few functions of a C library that TensorFlow Lite Micro calls and compilers without one do not bring. */
#include <stddef.h>
#include <stdint.h>

int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);
size_t strlen(const char *text);
double frexp(double value, int *exponent);
int *__errno_location(void);
long long strtoll(const char *text, char **end, int base);
void *bsearch(const void *key, const void *items, size_t count, size_t size,
              int (*compare)(const void *, const void *));

int strncmp(const char *a, const char *b, size_t count) {
  for (; count > 0; --count, ++a, ++b) {
    if (*a != *b || *a == '\0') {
      return (unsigned char)*a - (unsigned char)*b;
    }
  }
  return 0;
}

int strcmp(const char *a, const char *b) {
  return strncmp(a, b, SIZE_MAX);
}

size_t strlen(const char *text) {
  const volatile char *end = text; /* volatile: compilers turn the plain loop into a call of strlen */
  while (*end != '\0') {
    ++end;
  }
  return (size_t)(end - text);
}

/* value = result * 2**exponent with a result of at least 0.5 and less than 1, by the fields of an IEEE 754 double. */
double frexp(double value, int *exponent) {
  union {
    double value;
    uint64_t bits;
  } number = {value};
  const int field = (int)(number.bits >> 52 & 0x7FFu);
  *exponent = 0;
  if (value == 0 || field == 0x7FF) { /* zero, infinity or not a number */
    return value;
  }
  if (field == 0) { /* subnormal */
    value = frexp(value * 18446744073709551616.0, exponent);
    *exponent -= 64;
    return value;
  }
  *exponent = field - 0x3FE;
  number.bits = (number.bits & 0x800FFFFFFFFFFFFFu) | 0x3FE0000000000000u;
  return number.value;
}

int *__errno_location(void) {
  static int number;
  return &number;
}

/* Of a digit in any base up to 36; of another character one that is too large for each. */
static unsigned digit_of(char c) {
  const unsigned number = (unsigned)c - '0', letter = ((unsigned)c | 32u) - 'a';
  return number < 10u ? number : letter < 26u ? letter + 10u : 36u;
}

/* As C has it, but for white space in front, and for errno. */
long long strtoll(const char *text, char **end, int base) {
  const char *next = text;
  const int negative = *next == '-';
  next += negative || *next == '+';
  if ((base == 0 || base == 16) && next[0] == '0' && (next[1] | 32) == 'x' && digit_of(next[2]) < 16u) {
    next += 2;
    base = 16;
  } else if (base == 0) {
    base = *next == '0' ? 8 : 10;
  }
  const unsigned long long most = (unsigned long long)INT64_MAX + (unsigned)negative;
  const char *first = next;
  unsigned long long value = 0;
  for (unsigned digit; (digit = digit_of(*next)) < (unsigned)base; ++next) {
    value = value > (most - digit) / (unsigned)base ? most : value * (unsigned)base + digit;
  }
  if (end != NULL) {
    *end = (char *)(uintptr_t)(next == first ? text : next);
  }
  return negative ? (long long)(0u - value) : (long long)value;
}

void *bsearch(const void *key, const void *items, size_t count, size_t size,
              int (*compare)(const void *, const void *)) {
  uintptr_t first = (uintptr_t)items;
  while (count > 0) {
    const uintptr_t middle = first + count / 2 * size;
    const int order = compare(key, (const void *)middle);
    if (order == 0) {
      return (void *)middle;
    }
    if (order > 0) {
      first = middle + size;
      count -= 1;
    }
    count /= 2;
  }
  return NULL;
}
