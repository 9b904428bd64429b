/*
 * claims: the claims of a batch are judged one after the other, as if each had come alone; what
 * they change is written together.
 *
 * The row locks of store_find_live order batches that meet a pair, the unique index of store_insert
 * those that meet none: claims that lost there find the winner's pair in the second round.
 */
#include "services/rendezvous/claims.h"

#include "lib/check.h"
#include "services/rendezvous/claim.h"
#include "services/rendezvous/rendezvous.h"
#include "services/rendezvous/store_claim.h"

#include <string.h>

#define TOKEN_ID_MAX   128
#define NONCE_MAX      128
#define CONNECTION_MAX 128

struct batch {
	struct call *call;
	const Rendezvous__ClaimRequest *request;
	Rendezvous__ClaimAnswer **answers; /* one for each claim */
	bool *open;			   /* claims without an answer */
	struct claim_spot *spots;	   /* sorted */
	size_t n_spots;
	long room; /* further waiting pairs that the tenant may have */
};

/* ---- answers ---- */

static void refuse(struct batch *batch, size_t i, err_t err, const char *field, const char *detail)
{
	Rendezvous__ClaimAnswer *answer = batch->answers[i];

	rendezvous__claim_answer__init(answer);
	answer->error = (uint32_t)err;
	answer->field = arena_strdup(batch->call->arena, field);
	answer->detail = arena_strdup(batch->call->arena, detail);
}

/* The pair's id follows when it is written. */
static void grant(struct batch *batch, size_t i, const struct claim_end *peer)
{
	Rendezvous__ClaimAnswer *answer = batch->answers[i];

	rendezvous__claim_answer__init(answer);
	answer->state = peer != NULL ? "joined" : "waiting";
	if (peer != NULL) {
		answer->peer_node = (char *)peer->node;
		answer->peer_connection = (char *)peer->connection;
	}
}

/* ---- where claims are made ---- */

static struct claim_spot *spot_of(const struct batch *batch, const Rendezvous__Claim *claim)
{
	return claim_spot_find(batch->spots, batch->n_spots, claim->token_id, claim->nonce);
}

/* One for each token and nonce of the open claims. */
static void make_spots(struct batch *batch)
{
	struct claim_spot *spots = batch->spots;
	size_t n = 0;

	for (size_t i = 0; i < batch->request->n_claims; i++)
		if (batch->open[i])
			spots[n++] = (struct claim_spot){
				.token_id = batch->request->claims[i]->token_id,
				.nonce = batch->request->claims[i]->nonce,
			};
	batch->n_spots = claim_spots_sort(spots, n);
}

static bool may_add(const struct batch *batch)
{
	for (size_t i = 0; i < batch->n_spots; i++)
		if (batch->spots[i].pair == NULL || batch->spots[i].pair->stale)
			return true;
	return false;
}

/* ---- judging ---- */

/* Spots of one token share its room, and stand side by side. */
static void use_token_room(struct batch *batch, const struct claim_spot *used)
{
	for (size_t i = 0; i < batch->n_spots; i++)
		if (strcmp(batch->spots[i].token_id, used->token_id) == 0)
			batch->spots[i].token_room--;
}

/* The claim is the first of a new pair, unless tenant or token have too many. */
static void wait_as_first(
	struct batch *batch, size_t i, struct claim_spot *spot, const struct claim_end *end)
{
	if (batch->room <= 0) {
		refuse(batch, i, ERR_RESOURCE_EXHAUSTED, "",
			"expected fewer than " STORE_WAITING_MAX " waiting pairs in the tenant");
		return;
	}
	if (spot->token_room <= 0) {
		refuse(batch, i, ERR_RESOURCE_EXHAUSTED, "token_id",
			"expected fewer than " STORE_TOKEN_MAX " live pairs of the token");
		return;
	}
	batch->room--;
	use_token_room(batch, spot);
	spot->pair = arena_alloc(batch->call->arena, sizeof(*spot->pair));
	*spot->pair = (struct claim_pair){ .first = *end, .second = { "", "" } };
	spot->is_new = true;
	grant(batch, i, NULL);
}

static void judge(struct batch *batch, size_t i)
{
	const Rendezvous__Claim *claim = batch->request->claims[i];
	const struct claim_end end = { batch->request->node, claim->connection };
	struct claim_spot *spot = spot_of(batch, claim);
	struct claim_pair *pair = spot->pair;

	if (pair == NULL) {
		wait_as_first(batch, i, spot, &end);
		return;
	}
	switch (claim_judge(pair, &end)) {
	case CLAIM_FIRST:
		spot->announces = !pair->joined;
		grant(batch, i, pair->joined ? &pair->second : NULL);
		break;
	case CLAIM_SECOND:
		grant(batch, i, &pair->first);
		break;
	case CLAIM_JOINS:
		pair->joined = spot->joins = true;
		pair->second = end;
		grant(batch, i, &pair->first);
		break;
	case CLAIM_REFUSE:
		refuse(batch, i, ERR_ALREADY_EXISTS, "nonce",
			"expected a nonce that no two other clients of the token use");
		break;
	case CLAIM_REPLACE:
		spot->ended = pair->id;
		wait_as_first(batch, i, spot, &end);
		break;
	}
}

/* ---- writing ---- */

static err_t publish_ended(struct batch *batch)
{
	err_t err = OK;

	for (size_t i = 0; i < batch->n_spots && err == OK; i++)
		if (batch->spots[i].ended != NULL)
			err = rendezvous_publish_closed(batch->call, batch->spots[i].ended);
	return err;
}

static err_t write_changes(struct batch *batch)
{
	struct claim_spot *spots = batch->spots;
	const char *node = batch->request->node;
	size_t n = batch->n_spots;
	err_t err;

	if ((err = store_end_stale(batch->call, spots, n)) != OK ||
		(err = publish_ended(batch)) != OK ||
		(err = store_insert(batch->call, node, spots, n)) != OK ||
		(err = store_join(batch->call, node, spots, n)) != OK)
		return err;
	return store_announce(batch->call, spots, n);
}

/* Claims whose pair was written, or that were refused, have their answer now. */
static bool close_answered(struct batch *batch)
{
	bool all = true;

	for (size_t i = 0; i < batch->request->n_claims; i++) {
		struct claim_spot *spot;

		if (!batch->open[i])
			continue;
		spot = spot_of(batch, batch->request->claims[i]);
		batch->open[i] = spot->lost;
		all = all && !spot->lost;
		if (!spot->lost && batch->answers[i]->error == OK)
			batch->answers[i]->pair = (char *)spot->pair->id;
	}
	return all;
}

static err_t run_round(struct batch *batch, bool *all)
{
	err_t err;

	make_spots(batch);
	if ((err = store_find_live(batch->call, batch->spots, batch->n_spots)) != OK)
		return err;
	if (may_add(batch)) {
		err = store_room(batch->call, batch->spots, batch->n_spots, &batch->room);
		if (err != OK)
			return err;
	}
	for (size_t i = 0; i < batch->request->n_claims; i++)
		if (batch->open[i])
			judge(batch, i);
	if ((err = write_changes(batch)) == OK)
		*all = close_answered(batch);
	return err;
}

/* ---- calls ---- */

static err_t check_claim(struct call *call, const Rendezvous__Claim *claim)
{
	err_t err;

	if ((err = check_text(call, "token_id", claim->token_id, 1, TOKEN_ID_MAX)) != OK)
		return err;
	if ((err = check_text(call, "nonce", claim->nonce, 0, NONCE_MAX)) != OK)
		return err;
	return check_text(call, "connection", claim->connection, 1, CONNECTION_MAX);
}

static void open_batch(struct batch *batch, struct call *call,
	const Rendezvous__ClaimRequest *request, Rendezvous__ClaimResult *result)
{
	size_t n = request->n_claims;

	*batch = (struct batch){ .call = call, .request = request };
	batch->answers = arena_alloc(call->arena, n * sizeof(*batch->answers));
	batch->open = arena_alloc(call->arena, n * sizeof(*batch->open));
	batch->spots = arena_alloc(call->arena, n * sizeof(*batch->spots));
	for (size_t i = 0; i < n; i++) {
		err_t err = check_claim(call, request->claims[i]);

		batch->answers[i] = arena_alloc(call->arena, sizeof(**batch->answers));
		batch->open[i] = err == OK;
		if (err != OK)
			refuse(batch, i, err, call->fault.field, call->fault.detail);
	}
	result->answers = batch->answers;
	result->n_answers = n;
}

static err_t check_count(struct call *call, const char *field, size_t n)
{
	if (n >= 1 && n <= CLAIMS_MAX)
		return OK;
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, field, "expected 1 to %d in one call", CLAIMS_MAX);
}

err_t rendezvous_claim(
	struct call *call, const Rendezvous__ClaimRequest *request, Rendezvous__ClaimResult *result)
{
	struct batch batch;
	bool all = false;
	err_t err;

	if ((err = check_uuid(call, "node", request->node)) != OK ||
		(err = check_count(call, "claims", request->n_claims)) != OK)
		return err;
	open_batch(&batch, call, request, result);
	if ((err = store_hurry(call)) != OK)
		return err;
	for (int round = 0; round < 2 && !all; round++)
		if ((err = run_round(&batch, &all)) != OK)
			return err;
	return all ? OK : ERR_ABORTED; /* pairs come and go faster than we look: run it again */
}

static err_t check_released(struct call *call, const Rendezvous__ReleaseRequest *request)
{
	err_t err;

	if ((err = check_count(call, "released", request->n_released)) != OK)
		return err;
	for (size_t i = 0; i < request->n_released; i++) {
		const Rendezvous__Released *released = request->released[i];

		if ((err = check_uuid(call, "pair", released->pair)) != OK ||
			(err = check_text(call, "connection", released->connection, 1,
				 CONNECTION_MAX)) != OK)
			return err;
	}
	return store_hurry(call);
}

err_t rendezvous_release(
	struct call *call, const Rendezvous__ReleaseRequest *request, Rendezvous__Empty *reply)
{
	err_t err = check_released(call, request);

	(void)reply;
	return err != OK ? err : store_release(call, request);
}

err_t rendezvous_count(
	struct call *call, const Rendezvous__ReleaseRequest *request, Rendezvous__Empty *reply)
{
	err_t err = check_released(call, request);

	(void)reply;
	return err != OK ? err : store_count(call, request);
}
