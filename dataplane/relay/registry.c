/*
 * registry: rendezvous.RegisterServer, FindServer and ReleaseServer.
 */
#include "dataplane/relay/registry.h"

#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/utf8.h"
#include "proto/rendezvous.pb-c.h"

#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 5000
#define PAUSE_US   (200 * 1000) /* before it is asked again */

struct errand {
	struct dataplane *dataplane;
	const char *method;
	registry_done *done; /* NULL: nobody waits for it */
	char tenant[UUID_SIZE];
	char server[UUID_SIZE];
	char name[257];
	char connection[UUID_SIZE];
	char client[UUID_SIZE];
	bool replace;
	bool patient; /* asks again while rendezvous is away */
	err_t err;
	char node[UUID_SIZE];
	char found_connection[UUID_SIZE];
};

/* ---- in a thread of the pool ---- */

static err_t register_server(struct call *call, struct errand *errand)
{
	Rendezvous__TunnelServer request = RENDEZVOUS__TUNNEL_SERVER__INIT;
	const ProtobufCMessage *reply;

	request.server = errand->server;
	request.name = errand->name;
	request.node = (char *)(uintptr_t)errand->dataplane->instance;
	request.connection = errand->connection;
	request.replace = errand->replace;
	return bus_call(
		call, &rendezvous__rendezvous__descriptor, "RegisterServer", &request.base, &reply);
}

/* FindServer and ReleaseServer. */
static err_t refer(struct call *call, struct errand *errand)
{
	Rendezvous__TunnelServerRef request = RENDEZVOUS__TUNNEL_SERVER_REF__INIT;
	const ProtobufCMessage *reply;
	const Rendezvous__TunnelServer *found;
	err_t err;

	request.server = errand->server;
	request.connection = errand->connection;
	request.client = errand->client;
	err = bus_call(
		call, &rendezvous__rendezvous__descriptor, errand->method, &request.base, &reply);
	if (err == OK && strcmp(errand->method, "FindServer") == 0) {
		found = (const Rendezvous__TunnelServer *)reply;
		COPY(errand->node, found->node);
		COPY(errand->found_connection, found->connection);
	}
	return err;
}

static err_t ask(struct call *call, struct errand *errand)
{
	if (strcmp(errand->method, "RegisterServer") == 0)
		return register_server(call, errand);
	return refer(call, errand);
}

static void run(void *arg)
{
	struct errand *errand = arg;
	struct call call;

	call_init(&call, errand->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = errand->tenant;
	/* A service that is away for a moment costs a client a moment, not its connection. */
	while ((errand->err = ask(&call, errand)) == ERR_UNAVAILABLE && errand->patient &&
		call_left_ms(&call) > PAUSE_US / 1000)
		usleep(PAUSE_US);
	if (errand->err != OK && errand->err != ERR_NOT_FOUND && errand->err != ERR_ALREADY_EXISTS)
		LOG_THROTTLED(LOG_LEVEL_WARN, "registry_failed", "method=%s error=%s detail=%s",
			errand->method, err_name(errand->err), log_value(call.fault.detail));
	call_finish(&call);
}

/* ---- on the loop ---- */

static void on_done(void *arg)
{
	struct errand *errand = arg;

	if (errand->done)
		errand->done(
			errand->dataplane, &(struct registry_answer){
						   .err = errand->err,
						   .tenant = errand->tenant,
						   .server = errand->server,
						   .connection = errand->connection,
						   .node = errand->node,
						   .found_connection = errand->found_connection,
					   });
	free(errand);
}

static void start(struct dataplane *dataplane, const char *method, bool patient,
	const struct registry_question *question, registry_done *done)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	errand->dataplane = dataplane;
	errand->method = method;
	errand->done = done;
	errand->patient = patient;
	errand->replace = question->replace;
	COPY(errand->tenant, question->tenant);
	COPY(errand->server, question->server);
	/* Clients name themselves as they like; rendezvous takes so much printable text. */
	utf8_copy(errand->name, sizeof(errand->name), question->name);
	COPY(errand->connection, question->connection);
	COPY(errand->client, question->client ? question->client : "");
	loop_work(dataplane->loop, run, on_done, errand);
}

void registry_register(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done)
{
	start(dataplane, "RegisterServer", true, question, done);
}

void registry_find(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done)
{
	start(dataplane, "FindServer", true, question, done);
}

void registry_announce(
	struct dataplane *dataplane, const struct registry_question *question, registry_done *done)
{
	start(dataplane, "RegisterServer", false, question, done);
}

void registry_release(
	struct dataplane *dataplane, const char *tenant, const char *server, const char *connection)
{
	start(dataplane, "ReleaseServer", false,
		&(struct registry_question){
			.tenant = tenant, .server = server, .name = "", .connection = connection },
		NULL);
}
