/*
 * remote_update: dynamic update (RFC 2136), which PowerDNS turns into these methods once its own
 * settings allow the sender: it may set and clear the challenges of names that are registered, and
 * nothing else. Each method is a transaction of its own here. PowerDNS looks at the result of
 * commitTransaction only, so that one tells of a change that was refused before it. What makes a
 * server a secondary is answered with no: these zones have their truth here.
 */
#include "services/dns/remote_method.h"

#include "services/dns/store_registration.h"

#include <stdatomic.h>
#include <string.h>

#define VALUES_MAX 8

static json_t *answer_true(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	(void)remote, (void)parameters, (void)arena;
	return json_true();
}

static json_t *answer_false(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	(void)remote, (void)parameters, (void)arena;
	return json_false();
}

static json_t *answer_none(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	(void)remote, (void)parameters, (void)arena;
	return json_array();
}

#define REFUSED_MAX 16

/* Transactions, by PowerDNS' numbers, with a change that was refused lately. */
static struct {
	atomic_llong ids[REFUSED_MAX];
	atomic_uint next;
} refused;

static long long transaction_of(const json_t *parameters)
{
	return json_integer_value(json_object_get(parameters, "trxid"));
}

/* Notes it and answers so. */
static json_t *refuse(const json_t *parameters)
{
	atomic_store(&refused.ids[atomic_fetch_add(&refused.next, 1) % REFUSED_MAX],
		transaction_of(parameters));
	return json_false();
}

static json_t *answer_commit(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	long long id = transaction_of(parameters);
	bool fine = true;

	(void)remote, (void)arena;
	/* The number is a time in seconds: the next transaction may have the same. */
	for (size_t i = 0; id != 0 && i < REFUSED_MAX; i++) {
		long long found = id;

		if (atomic_compare_exchange_strong(&refused.ids[i], &found, 0))
			fine = false;
	}
	return json_boolean(fine);
}

static json_t *answer_abort(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	json_decref(answer_commit(remote, parameters, arena));
	return json_true();
}

struct update {
	char owner[DOMAIN_LEN];
	const char *values[VALUES_MAX];
	size_t n;
	bool replace;
};

static err_t set_challenges(struct call *call, void *arg)
{
	const struct update *update = arg;
	struct store_holder holder;
	err_t err = store_holder_of_challenge(call, update->owner, &holder);

	if (err == OK && update->replace)
		err = store_challenge_clear(call, &holder);
	for (size_t i = 0; err == OK && i < update->n; i++)
		err = store_challenge_set(call, &holder, update->values[i]);
	return err;
}

/* The text of one TXT record as PowerDNS writes it: "VALUE" in quotation marks. */
static bool add_value(struct update *update, const char *content, struct arena *arena)
{
	size_t len = strlen(content);

	if (len >= 2 && content[0] == '"' && content[len - 1] == '"')
		content = arena_strndup(arena, content + 1, len - 2);
	if (update->n == VALUES_MAX || !store_challenge_fine(content))
		return false;
	update->values[update->n++] = content;
	return true;
}

static json_t *apply(const struct remote *remote, const json_t *parameters, struct update *update)
{
	if (remote->change != NULL && remote->change(remote->context, set_challenges, update) == OK)
		return json_true();
	return refuse(parameters);
}

static json_t *answer_feed(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const json_t *record = json_object_get(parameters, "rr");
	struct update update = { .n = 0 };

	if (strcmp(remote_text(record, "qtype"), "TXT") != 0 ||
		!domain_normalise(remote_text(record, "qname"), update.owner) ||
		!add_value(&update, remote_text(record, "content"), arena))
		return refuse(parameters);
	return apply(remote, parameters, &update);
}

/* The SOA record comes with every update; its serial is ours to count. */
static json_t *answer_replace(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const char *type = remote_text(parameters, "qtype");
	const json_t *records = json_object_get(parameters, "rrset"), *record;
	struct update update = { .replace = true };
	size_t i;

	if (strcmp(type, "SOA") == 0)
		return json_true();
	if (strcmp(type, "TXT") != 0 ||
		!domain_normalise(remote_text(parameters, "qname"), update.owner))
		return refuse(parameters);
	json_array_foreach(records, i, record)
	{
		if (!add_value(&update, remote_text(record, "content"), arena))
			return refuse(parameters);
	}
	return apply(remote, parameters, &update);
}

static json_t *answer_command(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	struct directory_size size = directory_size(remote->directory);
	char text[128];

	(void)parameters, (void)arena;
	snprintf(text, sizeof(text), "zones=%zu names=%zu owners=%zu", size.zones, size.holdings,
		size.owners);
	return json_string(text);
}

const struct remote_method remote_update_methods[] = {
	{ "startTransaction", .answer = answer_true },
	{ "commitTransaction", .answer = answer_commit },
	{ "abortTransaction", .answer = answer_abort },
	{ "feedRecord", .answer = answer_feed },
	{ "replaceRRSet", .answer = answer_replace },
	{ "feedEnts", .answer = answer_false },
	{ "feedEnts3", .answer = answer_false },
	{ "getUnfreshSlaveInfos", .answer = answer_none },
	{ "setFresh", .answer = answer_false },
	{ "setStale", .answer = answer_false },
	{ "superMasterBackend", .answer = answer_false },
	{ "createSlaveDomain", .answer = answer_false },
	{ "searchRecords", .answer = answer_none },
	{ "directBackendCmd", .answer = answer_command },
	{ .name = NULL },
};
