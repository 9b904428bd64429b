/*
 * svc_transact: a transaction around each call, and the replies that a retry of a call finds again.
 *
 * The first statement of a call with an idempotency key claims its row, so a second one with the
 * same key waits for the first to end, then answers what the first one answered. The reply is
 * stored sealed under a key that only the idempotency key gives: the table shows nobody a secret.
 * Runs in bus workers.
 */
#include "lib/svc_transact.h"

#include "lib/event.h"
#include "lib/log.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

#define DIGEST_HEX (crypto_generichash_BYTES * 2 + 1)
#define CHECK_MS   5000

struct svc_transact {
	const char *url;
	const char *application;
	struct db_statement claim, find, store;
};

struct worker_state {
	struct svc_transact *transact;
	struct db *db;
};

/* What the transaction of one request needs. */
struct attempt {
	struct svc_transact *transact;
	struct bus_request *request;
};

static const struct db_statement schema_exists = {
	"SELECT 1 AS there WHERE to_regclass($1 || '.idempotency') IS NOT NULL"
};

struct svc_transact *svc_transact_create(
	const char *schema, const char *url, const char *application)
{
	struct svc_transact *transact = xcalloc(1, sizeof(*transact));

	transact->url = url;
	transact->application = application;
	transact->claim.sql = xasprintf("INSERT INTO %s.idempotency (key, request, reply)"
					" VALUES (decode($1, 'hex'), decode($2, 'hex'), '')"
					" ON CONFLICT (key) DO NOTHING RETURNING 1 AS claimed",
		schema);
	transact->find.sql = xasprintf("SELECT encode(request, 'hex') AS request,"
				       " encode(reply, 'hex') AS reply"
				       " FROM %s.idempotency WHERE key = decode($1, 'hex')",
		schema);
	transact->store.sql = xasprintf("UPDATE %s.idempotency SET reply = decode($2, 'hex')"
					" WHERE key = decode($1, 'hex')",
		schema);
	return transact;
}

void svc_transact_destroy(struct svc_transact *transact)
{
	if (transact == NULL)
		return;
	free((void *)(uintptr_t)transact->claim.sql);
	free((void *)(uintptr_t)transact->find.sql);
	free((void *)(uintptr_t)transact->store.sql);
	free(transact);
}

/* ---- stored replies ---- */

/* A digest of what makes a key one's own: its purpose, the method, tenant, actor and the key
 * itself. */
static void key_digest(const struct bus_request *request, const char *purpose,
	uint8_t digest[crypto_generichash_BYTES])
{
	const char *const parts[] = { purpose, request->method, request->call->tenant,
		request->call->actor, request->call->idempotency_key };
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		crypto_generichash_update(&state, (const uint8_t *)parts[i], strlen(parts[i]) + 1);
	crypto_generichash_final(&state, digest, crypto_generichash_BYTES);
}

static void key_hex(const struct bus_request *request, char hex[DIGEST_HEX])
{
	uint8_t digest[crypto_generichash_BYTES];

	key_digest(request, "find", digest);
	sodium_bin2hex(hex, DIGEST_HEX, digest, sizeof(digest));
}

static void body_hex(const struct bus_request *request, char hex[DIGEST_HEX])
{
	uint8_t digest[crypto_generichash_BYTES];

	crypto_generichash(digest, sizeof(digest), request->body, request->body_len, NULL, 0);
	sodium_bin2hex(hex, DIGEST_HEX, digest, sizeof(digest));
}

/* nonce | secretbox of the reply, as hex digits in the arena. */
static char *seal_reply(const struct bus_request *request)
{
	size_t len = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + request->reply_len;
	uint8_t *sealed = arena_alloc(request->call->arena, len);
	char *hex = arena_alloc(request->call->arena, len * 2 + 1);
	uint8_t key[crypto_generichash_BYTES];

	key_digest(request, "seal", key);
	randombytes_buf(sealed, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES, request->reply,
		request->reply_len, sealed, key);
	sodium_memzero(key, sizeof(key));
	return sodium_bin2hex(hex, len * 2 + 1, sealed, len);
}

static err_t open_reply(struct bus_request *request, const char *hex)
{
	const size_t overhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
	size_t len = 0, size = strlen(hex) / 2;
	uint8_t *sealed = arena_alloc(request->call->arena, size + 1);
	uint8_t key[crypto_generichash_BYTES];
	int bad;

	sodium_hex2bin(sealed, size, hex, strlen(hex), NULL, &len, NULL);
	if (len < overhead)
		return call_refuse(request->call, ERR_DATA_LOSS, NULL, "a stored reply is damaged");
	key_digest(request, "seal", key);
	request->reply_len = len - overhead;
	request->reply = arena_alloc(request->call->arena, request->reply_len + 1);
	bad = crypto_secretbox_open_easy(request->reply, sealed + crypto_secretbox_NONCEBYTES,
		len - crypto_secretbox_NONCEBYTES, sealed, key);
	sodium_memzero(key, sizeof(key));
	if (bad)
		return call_refuse(request->call, ERR_DATA_LOSS, NULL, "a stored reply is damaged");
	return OK;
}

/* Claims the key; if it was used before, puts the reply of that time into the request. */
static err_t claim_or_find(struct attempt *attempt, const char *key, bool *found)
{
	struct bus_request *request = attempt->request;
	struct call *call = request->call;
	char body[DIGEST_HEX];
	AUTO_ROWS rows = NULL;
	err_t err;

	body_hex(request, body);
	if ((err = DB_QUERY(call, &attempt->transact->claim, &rows, key, body)) != OK)
		return err;
	*found = db_count(rows) == 0;
	if (!*found)
		return OK;
	if ((err = DB_QUERY(call, &attempt->transact->find, &rows, key)) != OK)
		return err;
	if (db_count(rows) == 0)
		return ERR_ABORTED; /* pruned in between */
	if (strcmp(db_text(rows, 0, "request"), body) != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "Idempotency-Key",
			"this key was used for another request; take a new key for each change");
	return open_reply(request, db_text(rows, 0, "reply"));
}

/* ---- the transaction ---- */

static err_t once(struct call *call, void *arg)
{
	struct attempt *attempt = arg;
	char key[DIGEST_HEX];
	bool found = false;
	err_t err;

	if (*call->idempotency_key == '\0')
		return bus_run(attempt->request);
	key_hex(attempt->request, key);
	if ((err = claim_or_find(attempt, key, &found)) != OK || found)
		return err;
	if ((err = bus_run(attempt->request)) != OK)
		return err;
	return DB_QUERY(call, &attempt->transact->store, NULL, key, seal_reply(attempt->request));
}

static err_t around(void *worker, struct bus_request *request)
{
	struct worker_state *state = worker;
	struct attempt attempt = { state->transact, request };
	err_t err;

	err = db_transaction(state->db, request->call, once, &attempt);
	if (err == OK)
		event_ring(request->call);
	return err;
}

static void *worker_open(void *context)
{
	struct worker_state *state = xcalloc(1, sizeof(*state));

	state->transact = context;
	state->db = db_create(state->transact->url, state->transact->application);
	return state;
}

static void worker_close(void *worker)
{
	struct worker_state *state = worker;

	db_destroy(state->db);
	free(state);
}

void svc_transact_serve(struct svc_transact *transact, struct bus_server *server)
{
	server->context = transact;
	server->worker_open = worker_open;
	server->worker_close = worker_close;
	server->around = around;
}

struct check {
	const char *schema;
	bool there;
};

static err_t look_for_schema(struct call *call, void *arg)
{
	struct check *check = arg;
	AUTO_ROWS rows = NULL;
	err_t err = DB_QUERY(call, &schema_exists, &rows, check->schema);

	check->there = err == OK && db_count(rows) > 0;
	return err;
}

err_t svc_transact_check(struct db *db, const char *schema, struct fault *fault)
{
	struct check check = { schema, false };
	struct call call;
	err_t err;

	call_init(&call, NULL, "service:start", CHECK_MS);
	err = db_transaction(db, &call, look_for_schema, &check);
	*fault = call.fault;
	call_finish(&call);
	if (err == OK && !check.there)
		return fault_set(fault, ERR_FAILED_PRECONDITION, NULL,
			"schema %s is not there yet: run db/migrate", schema);
	return err;
}
