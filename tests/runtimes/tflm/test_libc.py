"""The functions of a C library in model/te_libc.c equal those of this computer's."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kits.host_kernels import WARNINGS, compile_c, native_compiler

_OWN = ("strcmp", "strncmp", "strlen", "frexp", "strtoll", "bsearch", "__errno_location")
_MAIN = r"""
#include <stdio.h>
#include <stdlib.h>

long long own_strtoll(const char *text, char **end, int base);
void *own_bsearch(const void *key, const void *items, size_t count, size_t size,
                  int (*compare)(const void *, const void *));

static const char *const texts[] = {
    "0", "12", "-5", "+7a", "0x1f", "-0X1F", "0x", "0xg", "077", "089", "zz", "", "-", "12:3",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-99999999999999999999",
    "0x7fffffffffffffff", "-0x8000000000000001"};

static int compare(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

int main(void) {
  int count = 0;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; ++i) {
    for (int base = 0; base <= 16; base += base == 0 ? 10 : 6) {
      char *end, *own_end;
      if (strtoll(texts[i], &end, base) != own_strtoll(texts[i], &own_end, base) || end != own_end) {
        printf("strtoll of `%s`, base %d\n", texts[i], base);
        return 1;
      }
      ++count;
    }
  }
  int items[20];
  for (size_t length = 0; length <= 20; ++length) {
    for (int key = -1; key <= 40; ++key, ++count) {
      if (length > 0) {
        items[length - 1] = 2 * (int)(length - 1);
      }
      if (bsearch(&key, items, length, sizeof key, compare) != own_bsearch(&key, items, length, sizeof key, compare)) {
        printf("bsearch of %d among %u\n", key, (unsigned)length);
        return 1;
      }
    }
  }
  printf("%d", count);
  return 0;
}
"""


def test_numbers_and_searches(root: Path, tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(_MAIN)
    source = root / "firmware_templates/tflm/te_libc.c"
    renamed = [f"-D{name}=own_{name}" for name in _OWN]
    compiler = native_compiler()
    compile_c([*compiler, *WARNINGS, "-fno-builtin", *renamed, "-c", "-o", "libc.o", str(source)], tmp_path)
    compile_c([*compiler, *WARNINGS, "-fno-builtin", "-o", "check", "main.c", "libc.o"], tmp_path)
    done = subprocess.run([tmp_path / "check"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, str(20 * 3 + 21 * 42))
