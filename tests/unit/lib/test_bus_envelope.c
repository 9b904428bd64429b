/* The envelope of a request: what its texts may be, and how much memory a message may take. */
#include "lib/bus_envelope.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define TRACE  "0123456789abcdef0123456789abcdef"
#define TENANT "00000000-0000-7000-8000-00000000000a"

static char *text_of(struct arena *arena, size_t len)
{
	char *text = arena_alloc(arena, len + 1);

	memset(text, 'k', len);
	return text;
}

Test(envelope, texts)
{
	AUTO_ARENA arena = arena_create();
	const struct {
		const char *tenant, *trace, *actor, *key;
		const char *refused; /* field, NULL: fine */
	} rows[] = {
		{ "", TRACE, "user:x", "", NULL },
		{ "*", TRACE, "", "once", NULL },
		{ TENANT, TRACE, "device:x", text_of(arena, BUS_KEY_MAX), NULL },
		{ "**", TRACE, "", "", "tenant" },
		{ "demo", TRACE, "", "", "tenant" },
		{ "00000000-0000-7000-8000-00000000000A", TRACE, "", "", "tenant" },
		{ TENANT "0", TRACE, "", "", "tenant" },
		{ "", "", "", "", "trace" },
		{ "", TRACE "0", "", "", "trace" },
		{ "", "0123456789ABCDEF0123456789abcdef", "", "", "trace" },
		{ "", TRACE, "a\nb", "", "actor" },
		{ "", TRACE, text_of(arena, BUS_ACTOR_MAX + 1), "", "actor" },
		{ "", TRACE, "", "\x7f", "idempotency_key" },
		{ "", TRACE, "", "\xff", "idempotency_key" },
		{ "", TRACE, "", text_of(arena, BUS_KEY_MAX + 1), "idempotency_key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Bus__Request request = BUS__REQUEST__INIT;
		struct call call = { .arena = arena };
		err_t err;

		request.tenant = (char *)(uintptr_t)rows[i].tenant;
		request.trace = (char *)(uintptr_t)rows[i].trace;
		request.actor = (char *)(uintptr_t)rows[i].actor;
		request.idempotency_key = (char *)(uintptr_t)rows[i].key;
		err = envelope_open(&call, &request);
		cr_expect_eq(
			err, rows[i].refused == NULL ? OK : ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_expect_str_eq(call.fault.field, rows[i].refused != NULL ? rows[i].refused : "",
			"row %zu", i);
		cr_expect_eq(call.tenant, request.tenant);
		cr_expect_eq(call.trace, request.trace);
		cr_expect_eq(call.actor, request.actor);
		cr_expect_eq(call.idempotency_key, request.idempotency_key);
	}
}

Test(envelope, scopes)
{
	AUTO_ARENA arena = arena_create();
	char *scopes[BUS_SCOPES_MAX + 1];
	const struct {
		const char *first;
		size_t n;
		bool fine;
	} rows[] = { { "", 0, true }, { "users:read", 1, true }, { "users:read", 2, true },
		{ "users:read", BUS_SCOPES_MAX, true }, { "users:read", BUS_SCOPES_MAX + 1, false },
		{ "", 1, false }, { "a\nb", 1, false },
		{ text_of(arena, BUS_SCOPES_MAX + 1), 1, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Bus__Request request = BUS__REQUEST__INIT;
		struct call call = { .arena = arena };

		for (size_t j = 0; j < ARRAY_LEN(scopes); j++)
			scopes[j] = "networks:read";
		scopes[0] = (char *)(uintptr_t)rows[i].first;
		request.trace = TRACE;
		request.scopes = scopes;
		request.n_scopes = rows[i].n;
		cr_expect_eq(envelope_open(&call, &request),
			rows[i].fine ? OK : ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_expect_eq(call.n_scopes, rows[i].n);
	}
}

Test(envelope, round_trip)
{
	AUTO_ARENA arena = arena_create();
	Bus__Reply reply = BUS__REPLY__INIT;
	Bus__Reply *back;
	struct span packed;

	reply.status = ERR_NOT_FOUND;
	reply.detail = "not here";
	packed = envelope_pack(arena, &reply.base);
	back = (Bus__Reply *)envelope_unpack(arena, &bus__reply__descriptor, packed);
	cr_assert_not_null(back);
	cr_expect_eq(back->status, (uint32_t)ERR_NOT_FOUND);
	cr_expect_str_eq(back->detail, "not here");
	packed.len--;
	cr_expect_null(envelope_unpack(arena, &bus__reply__descriptor, packed));
}

/* A few bytes must not become a large allocation: unpacking ends when its budget is spent. */
Test(envelope, budget)
{
	AUTO_ARENA arena = arena_create();
	Bus__Doorbell doorbell = BUS__DOORBELL__INIT;
	struct span packed;

	doorbell.topic = text_of(arena, BUS_UNPACK_MAX / 2);
	packed = envelope_pack(arena, &doorbell.base);
	cr_expect_not_null(envelope_unpack(arena, &bus__doorbell__descriptor, packed));
	doorbell.topic = text_of(arena, BUS_UNPACK_MAX);
	packed = envelope_pack(arena, &doorbell.base);
	cr_expect_null(envelope_unpack(arena, &bus__doorbell__descriptor, packed));
}

Test(envelope, topics)
{
	AUTO_ARENA arena = arena_create();
	const struct {
		const char *topic;
		bool want;
	} rows[] = {
		{ "member", true },
		{ "api_key2", true },
		{ text_of(arena, BUS_TOPIC_MAX), true },
		{ text_of(arena, BUS_TOPIC_MAX + 1), false },
		{ "", false },
		{ "Member", false },
		{ "a b", false },
		{ "a\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(envelope_topic_fine(rows[i].topic), rows[i].want, "row %zu", i);
}
