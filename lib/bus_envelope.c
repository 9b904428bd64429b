/*
 * bus_envelope: see bus_envelope.h. Runs in the thread that makes or serves the call.
 */
#include "lib/bus_envelope.h"

#include "lib/check.h"

#include <string.h>

/* A ProtobufCAllocator that takes from an arena until the budget is spent. */
struct budget {
	struct arena *arena;
	size_t left;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;

	if (size > budget->left)
		return NULL;
	budget->left -= size;
	return arena_alloc(budget->arena, size);
}

static void budget_free(void *data, void *memory)
{
	(void)data;
	(void)memory; /* the arena's */
}

struct span envelope_pack(struct arena *arena, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = arena_alloc(arena, len);

	protobuf_c_message_pack(message, bytes);
	return (struct span){ bytes, len };
}

ProtobufCMessage *envelope_unpack(
	struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span packed)
{
	struct budget budget = { arena, BUS_UNPACK_MAX };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };

	return protobuf_c_message_unpack(descriptor, &allocator, packed.len, packed.bytes);
}

static err_t check_tenant(struct call *call)
{
	if (*call->tenant == '\0' || strcmp(call->tenant, CALL_FLEET) == 0)
		return OK;
	return check_uuid(call, "tenant", call->tenant);
}

static err_t check_trace(struct call *call)
{
	if (strlen(call->trace) != BUS_TRACE_LEN ||
		strspn(call->trace, "0123456789abcdef") != BUS_TRACE_LEN)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "trace", "expected %d hex digits",
			BUS_TRACE_LEN);
	return OK;
}

static err_t check_scopes(struct call *call)
{
	err_t err = OK;

	if (call->n_scopes > BUS_SCOPES_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "scopes", "expected at most %d",
			BUS_SCOPES_MAX);
	for (size_t i = 0; err == OK && i < call->n_scopes; i++)
		err = check_text(call, "scopes", call->scopes[i], 1, BUS_SCOPES_MAX);
	return err;
}

err_t envelope_check(struct call *call)
{
	err_t err = check_tenant(call);

	if (err == OK)
		err = check_trace(call);
	if (err == OK)
		err = check_text(call, "actor", call->actor, 0, BUS_ACTOR_MAX);
	if (err == OK)
		err = check_scopes(call);
	if (err == OK)
		err = check_text(call, "idempotency_key", call->idempotency_key, 0, BUS_KEY_MAX);
	if (err == OK)
		err = check_text(call, "source", call->source, 0, BUS_SOURCE_MAX);
	return err;
}

err_t envelope_open(struct call *call, const Bus__Request *request)
{
	call->tenant = request->tenant;
	call->actor = request->actor;
	call->scopes = request->scopes;
	call->n_scopes = request->n_scopes;
	call->source = request->source;
	call->trace = request->trace;
	call->idempotency_key = request->idempotency_key;
	return envelope_check(call);
}

bool envelope_topic_fine(const char *topic)
{
	size_t len = strlen(topic);

	return len >= 1 && len <= BUS_TOPIC_MAX &&
	       strspn(topic, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}
