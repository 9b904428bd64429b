/* claim: what each claim is to each kind of live pair. */
#include "services/rendezvous/claim.h"

#include <criterion/criterion.h>

#define NODE_A "018f0000-0000-7000-8000-00000000000a"
#define NODE_B "018f0000-0000-7000-8000-00000000000b"

static const struct claim_pair waiting = { "w", false, false, { NODE_A, "1" }, { "", "" } };
static const struct claim_pair waiting_stale = { "ws", false, true, { NODE_A, "1" }, { "", "" } };
static const struct claim_pair joined = { "j", true, false, { NODE_A, "1" }, { NODE_B, "2" } };
static const struct claim_pair joined_stale = { "js", true, true, { NODE_A, "1" },
	{ NODE_B, "2" } };

static const struct {
	const struct claim_pair *pair;
	struct claim_end end;
	enum claim_verdict want;
} rows[] = {
	{ &waiting, { NODE_B, "2" }, CLAIM_JOINS },
	{ &waiting, { NODE_A, "2" }, CLAIM_JOINS },
	{ &waiting, { NODE_B, "1" }, CLAIM_JOINS }, /* a name of a connection is its node's only */
	{ &waiting, { NODE_A, "1" }, CLAIM_FIRST },
	{ &waiting_stale, { NODE_A, "1" }, CLAIM_FIRST },
	{ &waiting_stale, { NODE_B, "1" }, CLAIM_REPLACE },
	{ &waiting_stale, { NODE_A, "9" }, CLAIM_REPLACE },
	{ &joined, { NODE_A, "1" }, CLAIM_FIRST },
	{ &joined, { NODE_B, "2" }, CLAIM_SECOND },
	{ &joined, { NODE_A, "2" }, CLAIM_REFUSE },
	{ &joined, { NODE_B, "1" }, CLAIM_REFUSE },
	{ &joined, { NODE_B, "3" }, CLAIM_REFUSE },
	{ &joined_stale, { NODE_A, "1" }, CLAIM_FIRST },
	{ &joined_stale, { NODE_B, "2" }, CLAIM_SECOND },
	{ &joined_stale, { NODE_B, "3" }, CLAIM_REPLACE },
	/* The empty second end of a waiting pair is nobody. */
	{ &waiting, { "", "" }, CLAIM_JOINS },
};

Test(claim, judge)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(claim_judge(rows[i].pair, &rows[i].end), rows[i].want,
			"row %zu: claim of %s/%s on pair %s", i, rows[i].end.node,
			rows[i].end.connection, rows[i].pair->id);
}
