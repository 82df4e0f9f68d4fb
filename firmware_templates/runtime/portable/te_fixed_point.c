#include "te_fixed_point.h"

#include "te_requantize.h"

/* exp(x) in Q0.31 for x in [-1/4, 0), Q0.31: Taylor's series around -1/8 up to the fourth power. */
static int32_t exp_quarter(int32_t x) {
  const int32_t exp_minus_eighth = 1895147668;
  const int32_t third = 715827883;
  const int32_t d = x + (1 << 28);
  const int32_t d2 = te_high_mul(d, d);
  const int32_t d3 = te_high_mul(d2, d);
  const int32_t d4 = te_high_mul(d2, d2);
  const int32_t tail = te_high_mul(te_round_shift(d4, 2) + d3, third) + d2; /* d^4/12 + d^3/3 + d^2 */
  return exp_minus_eighth + te_high_mul(exp_minus_eighth, d + te_round_shift(tail, 1));
}

/* A quarter's fraction by the series, the rest as a product of powers of e. */
int32_t te_fixed_point_exp(int32_t x) {
  static const int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = 1 << 24;
  if (x == 0) {
    return INT32_MAX;
  }
  const int32_t fraction = (x & (quarter - 1)) - quarter;
  uint32_t quarters = ((uint32_t)fraction - (uint32_t)x) >> 24;
  int32_t result = exp_quarter((int32_t)((uint32_t)fraction << 5));
  for (int32_t i = 0; i < 7; i++) { /* e^-1/4, e^-1/2, ... e^-16 */
    if (quarters & 1U) {
      result = te_high_mul(result, powers[i]);
    }
    quarters >>= 1;
  }
  return result;
}

/* Three Newton steps towards the reciprocal of (1 + x) / 2. */
int32_t te_fixed_point_reciprocal(int32_t x) {
  const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
  int32_t r = 1515870810 + te_high_mul(half, -1010580540); /* 48/17 - 32/17 * half in Q2.29 */
  for (int32_t i = 0; i < 3; i++) {
    const int32_t error = (1 << 29) - te_high_mul(half, r);
    r += (int32_t)((uint32_t)te_high_mul(r, error) << 2);
  }
  const int64_t doubled = (int64_t)r * 2; /* half of it, from Q2.29 to Q0.31 */
  return doubled > INT32_MAX ? INT32_MAX : (int32_t)doubled;
}

int32_t te_fixed_point_zeros(uint32_t x) {
  int32_t count = 0;
  while (count < 32 && !(x & UINT32_C(0x80000000))) {
    x <<= 1;
    count++;
  }
  return count;
}
