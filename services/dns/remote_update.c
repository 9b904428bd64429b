/*
 * remote_update: dynamic update (RFC 2136), which PowerDNS turns into these methods once its own
 * settings allow the sender: it may set and clear the challenges of names that are registered, and
 * nothing else. Each method is a transaction of its own here. What makes a server a secondary is
 * answered with no: these zones have their truth here.
 */
#include "services/dns/remote_method.h"

#include "services/dns/store_registration.h"

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

static json_t *apply(const struct remote *remote, struct update *update)
{
	return json_boolean(remote->change != NULL &&
			    remote->change(remote->context, set_challenges, update) == OK);
}

static json_t *answer_feed(
	const struct remote *remote, const json_t *parameters, struct arena *arena)
{
	const json_t *record = json_object_get(parameters, "rr");
	struct update update = { .n = 0 };

	if (strcmp(remote_text(record, "qtype"), "TXT") != 0 ||
		!domain_normalise(remote_text(record, "qname"), update.owner) ||
		!add_value(&update, remote_text(record, "content"), arena))
		return json_false();
	return apply(remote, &update);
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
		return json_false();
	json_array_foreach(records, i, record)
	{
		if (!add_value(&update, remote_text(record, "content"), arena))
			return json_false();
	}
	return apply(remote, &update);
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
	{ "startTransaction", answer_true },
	{ "commitTransaction", answer_true },
	{ "abortTransaction", answer_true },
	{ "feedRecord", answer_feed },
	{ "replaceRRSet", answer_replace },
	{ "feedEnts", answer_false },
	{ "feedEnts3", answer_false },
	{ "getUnfreshSlaveInfos", answer_none },
	{ "setFresh", answer_false },
	{ "setStale", answer_false },
	{ "superMasterBackend", answer_false },
	{ "createSlaveDomain", answer_false },
	{ "searchRecords", answer_none },
	{ "directBackendCmd", answer_command },
	{ NULL, NULL },
};
