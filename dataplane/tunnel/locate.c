/*
 * locate: see locate.h. A name that many ask for at once is asked about once for each of them; no
 * more than PENDING_MAX are asked about together, so that a flood of names is refused here.
 */
#include "dataplane/tunnel/locate.h"

#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/dns.pb-c.h"
#include "proto/rendezvous.pb-c.h"

#include <string.h>

#define TIMEOUT_MS  2000
#define KEEP_MS	    5000
#define KNOWN_MAX   4096
#define PENDING_MAX 64

/* What was found out about a name. */
struct known {
	char name[HELLO_NAME_MAX];
	bool found;
	struct location location;
	int64_t until_ms;
	UT_hash_handle hh; /* locator.known, the oldest first */
};

struct locator {
	struct dataplane *dataplane;
	struct known *known;
	unsigned n_pending;
	unsigned n_changes; /* names that have changed since the start */
};

struct question {
	struct locator *locator;
	char name[HELLO_NAME_MAX];
	char visitor[UUID_SIZE];
	locate_done *done;
	unsigned n_changes; /* when it was asked */
	/* the answer */
	err_t err;
	struct location location;
	char detail[sizeof(((struct fault *)NULL)->detail)];
};

struct locator *locator_create(struct dataplane *dataplane)
{
	struct locator *locator = xcalloc(1, sizeof(*locator));

	locator->dataplane = dataplane;
	return locator;
}

static void forget(struct locator *locator, struct known *known)
{
	HASH_DELETE(hh, locator->known, known);
	free(known);
}

void locator_destroy(struct locator *locator)
{
	if (!locator)
		return;
	while (locator->known)
		forget(locator, locator->known);
	free(locator);
}

/* ---- what is known ---- */

static struct known *find(struct locator *locator, const char *name)
{
	struct known *known;

	HASH_FIND_STR(locator->known, name, known);
	if (known && known->until_ms <= clock_ms()) {
		forget(locator, known);
		known = NULL;
	}
	return known;
}

static void keep(struct locator *locator, const struct question *question)
{
	struct known *known = find(locator, question->name);

	if (known)
		forget(locator, known);
	if (HASH_COUNT(locator->known) >= KNOWN_MAX)
		forget(locator, locator->known);
	known = xcalloc(1, sizeof(*known));
	COPY(known->name, question->name);
	known->found = question->err == OK;
	known->location = question->location;
	known->until_ms = clock_ms() + KEEP_MS;
	HASH_ADD_STR(locator->known, name, known);
}

void locate_forget(struct locator *locator, const char *name)
{
	struct known *known = find(locator, name);

	locator->n_changes++;
	if (known)
		forget(locator, known);
}

/* ---- in a thread of the pool ---- */

static err_t find_name(struct call *call, struct question *question, const char **registration)
{
	Dns__NameRef request = DNS__NAME_REF__INIT;
	const ProtobufCMessage *reply;
	const Dns__Tunnel *tunnel;
	err_t err;

	call->tenant = CALL_FLEET;
	request.name = question->name;
	err = bus_call(call, &dns__dns__descriptor, "FindTunnel", &request.base, &reply);
	if (err != OK)
		return err;
	tunnel = (const Dns__Tunnel *)reply;
	COPY(question->location.tenant, tunnel->tenant);
	*registration = tunnel->registration;
	return OK;
}

static err_t find_link(struct call *call, struct question *question, const char *registration)
{
	Rendezvous__TunnelServerRef request = RENDEZVOUS__TUNNEL_SERVER_REF__INIT;
	const ProtobufCMessage *reply;
	const Rendezvous__TunnelServer *server;
	err_t err;

	call->tenant = question->location.tenant;
	request.server = (char *)(uintptr_t)registration;
	err = bus_call(
		call, &rendezvous__rendezvous__descriptor, "FindServer", &request.base, &reply);
	if (err != OK)
		return err;
	server = (const Rendezvous__TunnelServer *)reply;
	COPY(question->location.node, server->node);
	COPY(question->location.connection, server->connection);
	return OK;
}

static void ask(void *arg)
{
	struct question *question = arg;
	const char *registration;
	struct call call;

	call_init(&call, question->locator->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	question->err = find_name(&call, question, &registration);
	if (question->err == OK)
		question->err = find_link(&call, question, registration);
	COPY(question->detail, call.fault.detail);
	call_finish(&call);
}

/* ---- on the loop ---- */

static bool is_answer(err_t err)
{
	return err == OK || err == ERR_NOT_FOUND || err == ERR_FAILED_PRECONDITION;
}

static void on_asked(void *arg)
{
	struct question *question = arg;
	struct locator *locator = question->locator;

	locator->n_pending--;
	if (!is_answer(question->err))
		LOG_THROTTLED(LOG_LEVEL_WARN, "name_not_found_out", "name=%s error=%s detail=%s",
			log_value(question->name), err_name(question->err),
			log_value(question->detail));
	else if (question->n_changes == locator->n_changes)
		keep(locator, question);
	question->done(locator->dataplane, question->visitor,
		question->err == OK ? &question->location : NULL);
	free(question);
}

bool locate(struct locator *locator, const char *name, const char *visitor, locate_done *done)
{
	struct known *known = find(locator, name);
	struct question *question;

	if (known) {
		done(locator->dataplane, visitor, known->found ? &known->location : NULL);
		return true;
	}
	if (locator->n_pending >= PENDING_MAX)
		return false;
	question = xcalloc(1, sizeof(*question));
	question->locator = locator;
	question->done = done;
	question->n_changes = locator->n_changes;
	COPY(question->name, name);
	COPY(question->visitor, visitor);
	locator->n_pending++;
	loop_work(locator->dataplane->loop, ask, on_asked, question);
	return true;
}
