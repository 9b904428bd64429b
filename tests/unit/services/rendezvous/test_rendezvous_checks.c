/* rendezvous: requests that are refused before the database is asked. */
#include "services/rendezvous/rendezvous.h"

#include "lib/call.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define NODE "018f0000-0000-7000-8000-00000000000a"

static struct call call;
static char long_text[130];

static void setup(void)
{
	call_init(&call, NULL, "service:test", 1000);
	memset(long_text, 'x', sizeof(long_text) - 1);
}

static void teardown(void)
{
	call_finish(&call);
}

TestSuite(rendezvous, .init = setup, .fini = teardown);

Test(rendezvous, claim)
{
	const struct {
		const char *token_id, *nonce, *node, *connection, *field;
	} rows[] = {
		{ "", "n", NODE, "1", "token_id" },
		{ long_text, "n", NODE, "1", "token_id" },
		{ "a\nb", "n", NODE, "1", "token_id" },
		{ "t", long_text, NODE, "1", "nonce" },
		{ "t", "\xff", NODE, "1", "nonce" },
		{ "t", "n", "", "1", "node" },
		{ "t", "n", "not-a-node", "1", "node" },
		{ "t", "n", NODE "'", "1", "node" },
		{ "t", "n", NODE, "", "connection" },
		{ "t", "n", NODE, long_text, "connection" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Rendezvous__ClaimRequest request = RENDEZVOUS__CLAIM_REQUEST__INIT;
		Rendezvous__ClaimResult result = RENDEZVOUS__CLAIM_RESULT__INIT;

		request.token_id = (char *)rows[i].token_id;
		request.nonce = (char *)rows[i].nonce;
		request.node = (char *)rows[i].node;
		request.connection = (char *)rows[i].connection;
		cr_expect_eq(rendezvous_claim(&call, &request, &result), ERR_INVALID_ARGUMENT,
			"row %zu", i);
		cr_expect_str_eq(call.fault.field, rows[i].field, "row %zu", i);
	}
}

Test(rendezvous, release)
{
	Rendezvous__ReleaseRequest request = RENDEZVOUS__RELEASE_REQUEST__INIT;
	Rendezvous__Empty reply = RENDEZVOUS__EMPTY__INIT;

	request.pair = "1";
	request.connection = "1";
	cr_expect_eq(rendezvous_release(&call, &request, &reply), ERR_INVALID_ARGUMENT);
	cr_expect_str_eq(call.fault.field, "pair");
	request.pair = NODE;
	request.connection = "";
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
