/* rendezvous: requests that are refused before the database is asked. */
#include "services/rendezvous/claims.h"
#include "services/rendezvous/rendezvous.h"

#include "lib/call.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NODE "018f0000-0000-7000-8000-00000000000a"

static struct call call;

static void setup(void)
{
	call_init(&call, NULL, "service:test", 1000);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(rendezvous, .init = setup, .fini = teardown);

/* The whole call is refused; what is wrong with one of its claims is that one's answer only
 * (tests/component/test_rendezvous.c). */
Test(rendezvous, claim)
{
	static Rendezvous__Claim *many[CLAIMS_MAX + 1];
	Rendezvous__Claim claim = RENDEZVOUS__CLAIM__INIT;
	const struct {
		const char *node;
		size_t n;
		const char *field;
	} rows[] = {
		{ "", 1, "node" },
		{ "not-a-node", 1, "node" },
		{ NODE "'", 1, "node" },
		{ NODE, 0, "claims" },
		{ NODE, ARRAY_LEN(many), "claims" },
	};

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = &claim;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		Rendezvous__ClaimRequest request = RENDEZVOUS__CLAIM_REQUEST__INIT;
		Rendezvous__ClaimResult result = RENDEZVOUS__CLAIM_RESULT__INIT;

		request.node = (char *)(uintptr_t)rows[i].node;
		request.claims = many;
		request.n_claims = rows[i].n;
		cr_expect_eq(rendezvous_claim(&call, &request, &result), ERR_INVALID_ARGUMENT,
			"row %zu", i);
		cr_expect_str_eq(call.fault.field, rows[i].field, "row %zu", i);
	}
}

Test(rendezvous, release)
{
	Rendezvous__ReleaseRequest request = RENDEZVOUS__RELEASE_REQUEST__INIT;
	Rendezvous__Released released = RENDEZVOUS__RELEASED__INIT;
	Rendezvous__Empty reply = RENDEZVOUS__EMPTY__INIT;

	cr_expect_eq(rendezvous_release(&call, &request, &reply), ERR_INVALID_ARGUMENT);
	cr_expect_str_eq(call.fault.field, "released");
	request.released = (Rendezvous__Released *[]){ &released };
	request.n_released = 1;
	released.pair = "1";
	released.connection = "1";
	cr_expect_eq(rendezvous_release(&call, &request, &reply), ERR_INVALID_ARGUMENT);
	cr_expect_str_eq(call.fault.field, "pair");
	released.pair = NODE;
	released.connection = "";
	cr_expect_eq(rendezvous_release(&call, &request, &reply), ERR_INVALID_ARGUMENT);
	cr_expect_str_eq(call.fault.field, "connection");
}

Test(rendezvous, ids)
{
	static const char *const wrong[] = { "", "x", "018F0000-0000-7000-8000-00000000000A",
		"018f0000-0000-7000-8000-00000000000a ", "'; DROP TABLE rendezvous.pair; --" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		Rendezvous__Ref request = RENDEZVOUS__REF__INIT;
		Rendezvous__Pair pair = RENDEZVOUS__PAIR__INIT;

		request.id = (char *)wrong[i];
		cr_expect_eq(rendezvous_get_pair(&call, &request, &pair), ERR_INVALID_ARGUMENT);
		cr_expect_eq(rendezvous_close_pair(&call, &request, &pair), ERR_INVALID_ARGUMENT);
		cr_expect_str_eq(call.fault.field, "id");
	}
}

Test(rendezvous, list)
{
	static const struct {
		const char *cursor, *state, *field;
	} rows[] = {
		{ "x", "", "cursor" },
		{ "", "open", "state" },
		{ "", "Joined", "state" },
		{ NODE, "joined ", "state" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Rendezvous__ListRequest request = RENDEZVOUS__LIST_REQUEST__INIT;
		Rendezvous__PairList list = RENDEZVOUS__PAIR_LIST__INIT;

		request.cursor = (char *)rows[i].cursor;
		request.state = (char *)rows[i].state;
		cr_expect_eq(rendezvous_list_pairs(&call, &request, &list), ERR_INVALID_ARGUMENT,
			"row %zu", i);
		cr_expect_str_eq(call.fault.field, rows[i].field, "row %zu", i);
	}
}
