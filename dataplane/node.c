/*
 * node: the service Dataplane of proto/dataplane.proto, and the events of proto/event.proto.
 */
#include "dataplane/node.h"

#include "dataplane/dataplane.h"
#include "dataplane/live/live.h"
#include "dataplane/relay/link.h"
#include "dataplane/pagekite/kite_admit.h"
#include "dataplane/tunnel/box_admit.h"
#include "dataplane/tunnel/locate.h"
#include "lib/check.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "proto/dataplane.pb-c.h"
#include "proto/event.pb-c.h"

#include <stdio.h>

static struct dataplane *node; /* generated handlers and event routes get no context */

/* Runs it on the loop and waits. */
static err_t on_loop(struct call *call, void (*run)(void *arg), void *arg)
{
	if (loop_call(node->loop, run, arg))
		return OK;
	return call_refuse(call, ERR_UNAVAILABLE, NULL, "the node is stopping");
}

/* ---- calls ---- */

struct listing {
	struct call *call;
	const Dataplane__ListSessionsRequest *request;
	Dataplane__SessionList *reply;
};

static void run_list(void *arg)
{
	struct listing *listing = arg;

	sessions_list(node->sessions, listing->call->tenant, node->instance, listing->request,
		listing->call->arena, listing->reply);
}

static err_t list_sessions(struct call *call, const Dataplane__ListSessionsRequest *request,
	Dataplane__SessionList *reply)
{
	struct listing listing = { call, request, reply };

	return on_loop(call, run_list, &listing);
}

struct hearing {
	struct call *call;
	const Dataplane__ListNetworkEventsRequest *request;
	Dataplane__NetworkEventList *reply;
};

static void run_list_events(void *arg)
{
	struct hearing *hearing = arg;

	sessions_list_events(node->sessions, hearing->call->tenant, node->instance,
		hearing->request, hearing->call->arena, hearing->reply);
}

static err_t list_network_events(struct call *call,
	const Dataplane__ListNetworkEventsRequest *request, Dataplane__NetworkEventList *reply)
{
	struct hearing hearing = { call, request, reply };
	err_t err = check_uuid(call, "network", request->network);

	return err == OK ? on_loop(call, run_list_events, &hearing) : err;
}

struct looking {
	struct call *call;
	const Dataplane__ListConnectionsRequest *request;
	Dataplane__ConnectionList *reply;
};

static void run_list_connections(void *arg)
{
	struct looking *looking = arg;

	live_list(node->live, looking->call->tenant, looking->request, looking->call->arena,
		looking->reply);
}

static err_t list_connections(struct call *call, const Dataplane__ListConnectionsRequest *request,
	Dataplane__ConnectionList *reply)
{
	struct looking looking = { call, request, reply };

	return on_loop(call, run_list_connections, &looking);
}

struct closing {
	const char *tenant;
	const char *id;
	err_t err;
};

static void run_close(void *arg)
{
	struct closing *closing = arg;

	closing->err = sessions_end(node->sessions, closing->tenant, closing->id);
}

static err_t close_session(
	struct call *call, const Dataplane__CloseSessionRequest *request, Dataplane__Empty *reply)
{
	struct closing closing = { .tenant = call->tenant, .id = request->id };
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = on_loop(call, run_close, &closing)) != OK)
		return err;
	if (closing.err != OK)
		return call_refuse(
			call, closing.err, "id", "no session %s on this node", request->id);
	return OK;
}

struct linking {
	struct call *call;
	const Dataplane__OpenLinkRequest *request;
	Dataplane__Link *reply;
	err_t err;
};

static void run_link(void *arg)
{
	struct linking *linking = arg;

	linking->err = link_offer(node, linking->call, linking->request, linking->reply);
}

static err_t open_link(
	struct call *call, const Dataplane__OpenLinkRequest *request, Dataplane__Link *reply)
{
	struct linking linking = { call, request, reply, OK };
	err_t err = on_loop(call, run_link, &linking);

	return err == OK ? linking.err : err;
}

BUS_HANDLER(Dataplane__Dataplane_Service, open_link, Dataplane__OpenLinkRequest, Dataplane__Link,
	DATAPLANE__LINK__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, list_sessions, Dataplane__ListSessionsRequest,
	Dataplane__SessionList, DATAPLANE__SESSION_LIST__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, list_connections, Dataplane__ListConnectionsRequest,
	Dataplane__ConnectionList, DATAPLANE__CONNECTION_LIST__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, close_session, Dataplane__CloseSessionRequest,
	Dataplane__Empty, DATAPLANE__EMPTY__INIT)
BUS_HANDLER(Dataplane__Dataplane_Service, list_network_events, Dataplane__ListNetworkEventsRequest,
	Dataplane__NetworkEventList, DATAPLANE__NETWORK_EVENT_LIST__INIT)

static Dataplane__Dataplane_Service service = DATAPLANE__DATAPLANE__INIT(on_);

ProtobufCService *const node_services[] = { &service.base, NULL };

/* ---- events ---- */

/* What an event names, copied for the loop. */
struct notice {
	char what[64];
	int64_t number; /* not_before, or the version */
};

static void post_notice(void (*run)(void *arg), const char *what, int64_t number)
{
	struct notice *notice = xcalloc(1, sizeof(*notice));

	snprintf(notice->what, sizeof(notice->what), "%s", what);
	notice->number = number;
	if (!loop_post(node->loop, run, notice))
		free(notice);
}

static void run_revoked(void *arg)
{
	struct notice *notice = arg;

	verifier_revoke(node->verifier, notice->what, notice->number, clock_unix_ms() / 1000);
	sessions_end_subject(node->sessions, notice->what, notice->number);
	guests_end_subject(node->guests, notice->what, notice->number);
	boxes_end_subject(node->boxes, notice->what, notice->number);
	box_admit_changed();
	kite_admit_changed();
	free(notice);
}

static err_t apply_revoked(struct call *call, const ProtobufCMessage *message)
{
	const Event__Revoked *event = (const Event__Revoked *)message;

	(void)call;
	post_notice(run_revoked, event->subject, event->not_before);
	return OK;
}

/* The member may come back, when its device is unblocked: with a token issued from now on. */
static void run_removed(void *arg)
{
	struct notice *notice = arg;
	int64_t now_s = clock_unix_ms() / 1000;
	char member[80];

	snprintf(member, sizeof(member), "member:%s", notice->what);
	verifier_revoke(node->verifier, member, now_s + 1, now_s);
	sessions_end_member(node->sessions, notice->what);
	free(notice);
}

/* An earlier policy ends with its session, which comes back with a new token. */
static void run_member(void *arg)
{
	struct notice *notice = arg;

	verifier_renew(node->verifier, notice->what, notice->number, clock_unix_ms() / 1000);
	sessions_renew_member(node->sessions, notice->what, notice->number);
	free(notice);
}

static err_t apply_member(struct call *call, const ProtobufCMessage *message)
{
	const Event__Member *event = (const Event__Member *)message;

	(void)call;
	if (event->removed)
		post_notice(run_removed, event->member, 0);
	else
		post_notice(run_member, event->member, event->policy_version);
	return OK;
}

struct ruling {
	char tenant[UUID_SIZE], network[UUID_SIZE];
	struct switch_rules rules;
};

static void run_network(void *arg)
{
	struct ruling *ruling = arg;

	verifier_renew(
		node->verifier, ruling->network, ruling->rules.version, clock_unix_ms() / 1000);
	sessions_set_rules(node->sessions, ruling->tenant, ruling->network, &ruling->rules);
	free(ruling);
}

static err_t apply_network(struct call *call, const ProtobufCMessage *message)
{
	const Event__Network *event = (const Event__Network *)message;
	struct ruling *ruling = xcalloc(1, sizeof(*ruling));

	snprintf(ruling->tenant, sizeof(ruling->tenant), "%s", call->tenant);
	snprintf(ruling->network, sizeof(ruling->network), "%s", event->network);
	ruling->rules = (struct switch_rules){
		.version = event->version,
		.no_broadcast = event->no_broadcast,
		.no_multicast = event->no_multicast,
		.storm_frames = event->storm_frames,
		.storm_bytes = event->storm_bytes,
	};
	if (!loop_post(node->loop, run_network, ruling))
		free(ruling);
	return OK;
}

static void run_pair_closed(void *arg)
{
	struct notice *notice = arg;

	guests_end_pair(node->guests, notice->what);
	free(notice);
}

static err_t apply_pair(struct call *call, const ProtobufCMessage *message)
{
	(void)call;
	post_notice(run_pair_closed, ((const Event__PairClosed *)message)->pair, 0);
	return OK;
}

/* Its holder shows its token again, which may open it no more. */
struct renaming {
	char registration[UUID_SIZE], name[HELLO_NAME_MAX], reason[64];
};

static void run_name(void *arg)
{
	struct renaming *renaming = arg;

	boxes_end_registration(node->boxes, renaming->registration, renaming->reason);
	locate_forget(node->locator, renaming->name);
	box_admit_changed();
	kite_admit_changed();
	free(renaming);
}

static err_t apply_name(struct call *call, const ProtobufCMessage *message)
{
	const Event__Name *event = (const Event__Name *)message;
	struct renaming *renaming = xcalloc(1, sizeof(*renaming));

	(void)call;
	snprintf(renaming->registration, sizeof(renaming->registration), "%s", event->registration);
	snprintf(renaming->name, sizeof(renaming->name), "%s", event->name);
	snprintf(renaming->reason, sizeof(renaming->reason), "%s", event->reason);
	if (!loop_post(node->loop, run_name, renaming))
		free(renaming);
	return OK;
}

/* Its device is linked to another node now. */
struct replacing {
	char connection[UUID_SIZE], name[HELLO_NAME_MAX];
};

static void run_replaced(void *arg)
{
	struct replacing *replacing = arg;

	boxes_end_moved(node->boxes, replacing->connection);
	locate_forget(node->locator, replacing->name);
	free(replacing);
}

static err_t apply_replaced(struct call *call, const ProtobufCMessage *message)
{
	const Event__ServerReplaced *event = (const Event__ServerReplaced *)message;
	struct replacing *replacing = xcalloc(1, sizeof(*replacing));

	(void)call;
	snprintf(replacing->connection, sizeof(replacing->connection), "%s", event->connection);
	snprintf(replacing->name, sizeof(replacing->name), "%s", event->name);
	if (!loop_post(node->loop, run_replaced, replacing))
		free(replacing);
	return OK;
}

static err_t apply_keys(struct call *call, const ProtobufCMessage *message)
{
	(void)call;
	(void)message;
	worker_wake(node->keys);
	return OK;
}

const struct event_route node_events[] = {
	{ "revoked", &event__revoked__descriptor, apply_revoked },
	{ "member", &event__member__descriptor, apply_member },
	{ "network", &event__network__descriptor, apply_network },
	{ "pair", &event__pair_closed__descriptor, apply_pair },
	{ "keys", &event__keys__descriptor, apply_keys },
	{ "name", &event__name__descriptor, apply_name },
	{ "server_replaced", &event__server_replaced__descriptor, apply_replaced },
	{ NULL, NULL, NULL },
};

void node_open(struct dataplane *dataplane)
{
	node = dataplane;
}
