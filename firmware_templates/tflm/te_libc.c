/* SPDX-License-Identifier: Apache-2.0 */
/* The few functions of a C library that TensorFlow Lite Micro calls and compilers without one do not bring. */
#include <stddef.h>
#include <stdint.h>

int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);
size_t strlen(const char *text);
double frexp(double value, int *exponent);

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
