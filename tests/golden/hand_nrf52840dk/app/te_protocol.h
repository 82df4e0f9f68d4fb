/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of the serial protocol; generated from tinyedge/wire.py, where the protocol is described. */
#ifndef TE_PROTOCOL_H
#define TE_PROTOCOL_H

#define TE_PROTOCOL 2
#define TE_LINE_BYTES 240 /* longest line without its line feed */
#define TE_CHUNK_BYTES 96 /* payload of one `in` or `out` */

#define TE_MARK_REQUEST '>'
#define TE_MARK_REPLY '<'
#define TE_MARK_RECORD '#'
#define TE_CHECK_MARK " ~"

#define TE_VERB_HELLO "hello"
#define TE_VERB_MODEL "model"
#define TE_VERB_TENSOR "tensor"
#define TE_VERB_IN "in"
#define TE_VERB_FEED "feed"
#define TE_VERB_FEATURES "features"
#define TE_VERB_STREAM "stream"
#define TE_VERB_RUN "run"
#define TE_VERB_PROFILE "profile"
#define TE_VERB_LAYER "layer"
#define TE_VERB_OUT "out"
#define TE_VERB_MEM "mem"
#define TE_VERB_RESET "reset"

#define TE_OK "ok"
#define TE_ERR_VERB "err verb" /* the firmware does not know the request */
#define TE_ERR_ARGS "err args" /* the request's arguments are malformed or out of range */
#define TE_ERR_MODEL "err model" /* the model failed to initialise */
#define TE_ERR_RUN "err run" /* the inference failed */
#define TE_ERR_ORDER "err order" /* no profile has been taken yet, or samples are missing that come before these */

#endif
