/*
 * call: see call.h. Runs in the thread that serves the call.
 */
#include "lib/call.h"

#include "lib/clock.h"

#include <sodium.h>

#include <string.h>

#define TRACE_LEN    16
#define STEP_KEY_LEN 32

static char *arena_hex(struct arena *arena, const unsigned char *bytes, size_t len)
{
	char *text = arena_alloc(arena, 2 * len + 1);

	return sodium_bin2hex(text, 2 * len + 1, bytes, len);
}

void call_init(struct call *call, struct bus *bus, const char *actor, int64_t timeout_ms)
{
	unsigned char trace[TRACE_LEN];

	randombytes_buf(trace, sizeof(trace));
	*call = (struct call){
		.arena = arena_create(),
		.bus = bus,
		.tenant = "",
		.actor = actor,
		.source = "",
		.idempotency_key = "",
		.deadline_ms = clock_ms() + timeout_ms,
	};
	call->trace = arena_hex(call->arena, trace, sizeof(trace));
}

void call_finish(struct call *call)
{
	arena_destroy(call->arena);
	*call = (struct call){ 0 };
}

int64_t call_left_ms(const struct call *call)
{
	int64_t left = call->deadline_ms - clock_ms();

	return left > 0 ? left : 0;
}

const char *call_step_key(struct call *call, const char *step)
{
	unsigned char key[STEP_KEY_LEN];
	const char *text;

	if (*call->idempotency_key == '\0')
		return "";
	/* A digest, so that steps of steps stay within the length of a key. */
	text = arena_printf(call->arena, "%s/%s", step, call->idempotency_key);
	crypto_generichash(key, sizeof(key), (const unsigned char *)text, strlen(text), NULL, 0);
	return arena_hex(call->arena, key, sizeof(key));
}
