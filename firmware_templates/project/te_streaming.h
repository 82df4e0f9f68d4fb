/* SPDX-License-Identifier: Apache-2.0 */
/* The request `stream`: a signal that comes in pieces, for a model that listens. */
#ifndef TE_STREAMING_H
#define TE_STREAMING_H

#include "te_model.h"

/* Adds to a line that says `ok` already, and gives 0; or gives the error that the line becomes instead. */
const char *te_reply_stream(const te_model_info *model, const char *words);

/* What was streamed is over: its memory serves something else. */
void te_forget_stream(void);

#endif
