/*
 * bus_envelope: protobuf messages in and out of arenas, and the check of what a request says about
 * itself. A part of lib/bus; knows nothing of nng.
 */
#pragma once

#include "lib/bus.h"
#include "lib/bus_seal.h"
#include "proto/bus.pb-c.h"

/* Room for a packed body: the seal and the envelope's own fields take the rest. */
#define BUS_BODY_MAX (BUS_MESSAGE_MAX - 4096)
/* What unpacking may allocate, over all. Nested messages grow 35 to 57 times when unpacked. */
#define BUS_UNPACK_MAX (4 * 1024 * 1024)

#define BUS_KEY_MAX    255 /* bytes of an idempotency key */
#define BUS_ACTOR_MAX  128
#define BUS_SCOPES_MAX 64 /* of a call, and bytes of one */
#define BUS_SOURCE_MAX 64
#define BUS_TRACE_LEN  32
#define BUS_TOPIC_MAX  64

struct span envelope_pack(struct arena *arena, const ProtobufCMessage *message);

/* NULL if the bytes are not such a message, or unpack to more than BUS_UNPACK_MAX. */
ProtobufCMessage *envelope_unpack(
	struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span packed);

/* Puts the texts of a request into the call, each checked; ERR_INVALID_ARGUMENT with the fault. */
err_t envelope_open(struct call *call, const Bus__Request *request) MUST_CHECK;

/* The same checks for a call that is about to leave. */
err_t envelope_check(struct call *call) MUST_CHECK;

/* Is it 1 to BUS_TOPIC_MAX of a-z, 0-9 and _? */
bool envelope_topic_fine(const char *topic);
