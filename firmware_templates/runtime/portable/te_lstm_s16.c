/* SPDX-License-Identifier: Apache-2.0 */
#include "te_lstm_s16.h"

#include <string.h>

#include "te_gates_s16.h"
#include "te_requantize.h"
#include "te_requantize_wide.h"

/* A sum as it goes into a gate. */
static __attribute__((noinline)) int32_t dot(const int8_t *weights, const int16_t *values, uint32_t count, int64_t sum,
                                             const te_lstm_short_factor *factor) {
  for (uint32_t i = 0; i < count; i++) {
    sum += values[i] * weights[i];
  }
  return te_output_s16(sum, factor->multiplier, factor->right, INT16_MIN, INT16_MAX);
}

static int32_t saturate(int32_t x) {
  return x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x;
}

static __attribute__((noinline)) int32_t scale(int32_t x, const te_lstm_factor *factor) {
  return te_requantize(x, factor->multiplier, factor->shift);
}

/* What goes into the function of a gate of one unit. Called, not inlined four times. */
static __attribute__((noinline)) int32_t gate_input(const te_lstm_s16_params *p, uint32_t gate, uint32_t unit,
                                                    const int16_t *input, const int16_t *hidden) {
  const te_lstm_gate_s16 *g = &p->gates[gate];
  const int32_t own = dot(g->weights + unit * p->inputs, input, p->inputs, g->bias[unit], &g->own);
  const int32_t past = dot(g->recurrent + unit * p->units, hidden, p->units, 0, &g->past);
  return saturate(own + past);
}

/* One step of one sequence. The new hidden state is collected in the output: all units still read the old one. */
static void step(const te_lstm_s16_params *p, const int16_t *input, int16_t *hidden, int16_t *cell, int16_t *output) {
  const uint16_t *table = p->sigmoids;
  for (uint32_t unit = 0; unit < p->units; unit++) {
    const int32_t admitted = te_sigmoid_s16(table, gate_input(p, TE_LSTM_INPUT, unit, input, hidden));
    const int32_t kept = te_sigmoid_s16(table, gate_input(p, TE_LSTM_FORGET, unit, input, hidden));
    const int32_t proposed = te_tanh_s16(table, gate_input(p, TE_LSTM_CELL, unit, input, hidden), 3, 0);
    const int32_t given = te_sigmoid_s16(table, gate_input(p, TE_LSTM_OUTPUT, unit, input, hidden));
    const int32_t old = saturate(scale(kept * cell[unit], &p->cell_factor));
    int32_t now = saturate(old + saturate(scale(admitted * proposed, &p->update_factor)));
    if (p->cell_clip >= 0) {
      now = now < -p->cell_clip ? -p->cell_clip : now > p->cell_clip ? p->cell_clip : now;
    }
    cell[unit] = (int16_t)now;
    const int32_t shown = te_tanh_s16(table, now, p->tanh_multiplier, p->tanh_shift) * given;
    output[unit] = (int16_t)saturate(scale(shown, &p->hidden_factor));
  }
  memcpy(hidden, output, p->units * sizeof *output);
}

void te_lstm_s16(const te_lstm_s16_params *p, const int16_t *input, int16_t *hidden, int16_t *cell, int16_t *output) {
  for (uint32_t batch = 0; batch < p->batches; batch++) {
    for (uint32_t time = 0; time < p->steps; time++) {
      const uint32_t place = p->time_major ? time * p->batches + batch : batch * p->steps + time;
      step(p, input + place * p->inputs, hidden, cell, output + place * p->units);
    }
    hidden += p->units;
    cell += p->units;
  }
}
