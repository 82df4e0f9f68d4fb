/* SPDX-License-Identifier: Apache-2.0 */
/* What the measuring firmware knows of a model: a table, whatever its runtime, so that main, protocol and board support
 * are the same for all. Programs of your own use the model's header, not this. */
#ifndef TE_MODEL_H
#define TE_MODEL_H

#include <stdint.h>

/* Called after each layer; `layer` counts them in order of execution from 0. */
typedef void (*te_layer_done)(void *context, uint32_t layer);

/* Texts ready to print, so that the firmware needs no formatted floats. */
typedef struct {
  const char *type;  /* "int8" */
  const char *shape; /* "1x8x8x1" */
  const char *scale; /* shortest decimal text that reads back to the same float32; "" if not quantized */
  int32_t zero_point;
  uint32_t bytes;
} te_tensor_info;

/* The values that an input may take: random bytes of an element, as a number, become the value at `first` + its
 * remainder by `count`, times `scale` if that is not 0. A count of 0: any bytes. */
typedef struct {
  uint32_t count;
  int32_t first;
  float scale;
  uint32_t element_bytes; /* 4 or 1 */
} te_input_range;

typedef struct {
  const void *data;
  uint32_t bytes;
} te_span;

/* Where a layer that runs row by row leaves its rows. A `row_bytes` of 0: it runs as a whole. */
typedef struct {
  const uint8_t *data; /* all rows if each has a place, else behind the newest */
  uint16_t row_bytes;
  uint16_t pitch;  /* bytes from a row to the next */
  uint16_t count;  /* rows in all */
  uint16_t first;  /* rows of the first call that leaves any */
  uint16_t more;   /* of each further one, the last but for what is left */
  uint16_t silent; /* calls before the first that leaves rows */
  uint16_t whole;  /* each row has a place */
} te_rows;

typedef struct {
  uint16_t index;      /* of the operator in the model file */
  uint16_t span_count; /* outputs whose bytes can be read right after the layer; 0 if the runtime cannot tell */
  const te_span *spans;
} te_layer_info;

/* How the input is computed of samples, row after row. */
typedef struct {
  uint32_t window_bytes; /* of samples that a row is computed of */
  uint32_t stride_bytes; /* from one window to the next */
  uint32_t row_bytes;
  uint32_t rows; /* of the input */
  void (*reset)(void);
  void (*frame)(const void *samples, void *row);
} te_features_info;

struct te_stream; /* te_stream.h */

typedef struct {
  const char *model;   /* name of the model */
  const char *digest;  /* first 16 hex digits of the SHA-256 of its file */
  const char *runtime; /* "aot" or "tflm" */
  uint32_t arena_bytes;
  uint32_t selftest_crc; /* CRC-32 of all outputs for the self-test input: byte i = x >> 24, x = x * 1664525 +
                            1013904223, x0 = 1; where there are input ranges, see te_input_range */
  uint16_t input_count;
  uint16_t output_count;
  uint16_t layer_count;
  const te_tensor_info *inputs;
  const te_tensor_info *outputs;
  const te_input_range *input_ranges; /* one for each input, or null: all may hold any bytes */
  const te_layer_info *layers;
  const te_features_info *features; /* of input 0, or null: it is given as it is */
  const struct te_stream *stream;   /* how it listens to a signal, or null */
  const te_rows *rows;              /* one for each layer, or null: all run as a whole */
  /* The functions of the model's header. */
  int (*init)(void);
  int (*invoke)(void);
  int (*invoke_layers)(te_layer_done done, void *context);
  void *(*input)(uint32_t i);
  const void *(*output)(uint32_t i);
} te_model_info;

#endif
