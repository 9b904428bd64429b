/*
 * link: who offers and who asks. The sealed connection itself is in link_end.c.
 */
#include "dataplane/relay/link.h"

#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "dataplane/nymea/tunnel.h"
#include "dataplane/relay/link_end.h"
#include "dataplane/trunk/trunks.h"
#include "dataplane/tunnel/far.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OFFER_MS   10000
#define TIMEOUT_MS 5000

/* What was promised to another node that will connect. */
struct offer {
	struct links *links;
	uint8_t id[LINK_ID_LEN];
	uint8_t keys[LINK_KEYS_LEN];
	char connection[UUID_SIZE];
	char pair[UUID_SIZE];
	char trunk[UUID_SIZE]; /* the other node's, for a trunk; else "" */
	char *name, *uuid, *address;
	uv_timer_t timer;
	UT_hash_handle hh; /* links.offers */
};

struct links {
	struct dataplane *dataplane;
	struct listener *listener;
	char endpoint[80]; /* where others connect */
	struct offer *offers;
};

/* ---- the node that is asked ---- */

static void free_offer(uv_handle_t *handle)
{
	struct offer *offer = handle->data;

	free(offer->name);
	free(offer->uuid);
	free(offer->address);
	sodium_memzero(offer, sizeof(*offer));
	free(offer);
}

static void drop_offer(struct offer *offer)
{
	HASH_DELETE(hh, offer->links->offers, offer);
	uv_close((uv_handle_t *)&offer->timer, free_offer);
}

static void on_expired(uv_timer_t *timer)
{
	drop_offer(timer->data);
}

static struct offer *make_offer(struct links *links, const Dataplane__OpenLinkRequest *request)
{
	struct offer *offer = xcalloc(1, sizeof(*offer));

	offer->links = links;
	randombytes_buf(offer->id, sizeof(offer->id));
	randombytes_buf(offer->keys, sizeof(offer->keys));
	COPY(offer->connection, request->connection);
	COPY(offer->pair, request->pair);
	COPY(offer->trunk, request->trunk);
	offer->name = xstrdup(request->name);
	offer->uuid = xstrdup(request->uuid);
	offer->address = xstrdup(request->address);
	uv_timer_init(loop_uv(links->dataplane->loop), &offer->timer);
	offer->timer.data = offer;
	uv_timer_start(&offer->timer, on_expired, OFFER_MS, 0);
	HASH_ADD(hh, links->offers, id, sizeof(offer->id), offer);
	return offer;
}

static struct guest *waiting_guest(struct dataplane *dataplane, const char *connection)
{
	struct guest *guest = guest_find(dataplane->guests, connection);
	bool waits = guest && guest->relay.end.state == END_OPEN &&
		     (guest->state == GUEST_WAITING || guest->state == GUEST_CLAIMING);

	return waits ? guest : NULL;
}

static err_t check_guest(struct dataplane *dataplane, struct call *call,
	const Dataplane__OpenLinkRequest *request, Dataplane__Link *reply)
{
	struct guest *guest = waiting_guest(dataplane, request->connection);

	if (!guest || strcmp(guest->tenant, call->tenant) != 0)
		return call_refuse(call, ERR_NOT_FOUND, "connection", "no such client waits here");
	if (guest->uuid && *request->uuid != '\0' && strcmp(guest->uuid, request->uuid) == 0) {
		guest->state = GUEST_OVER;
		guest->hooks->met_itself(guest);
		return call_refuse(call, ERR_FAILED_PRECONDITION, "uuid", "it is the same client");
	}
	reply->name = arena_strdup(call->arena, guest->name ? guest->name : "");
	reply->uuid = arena_strdup(call->arena, guest->uuid ? guest->uuid : "");
	return OK;
}

static err_t check_request(struct dataplane *dataplane, struct call *call,
	const Dataplane__OpenLinkRequest *request, Dataplane__Link *reply)
{
	if (*request->trunk != '\0')
		return trunks_expect(dataplane->trunks, call, request->trunk);
	if (*request->pair != '\0')
		return check_guest(dataplane, call, request, reply);
	if (!tunnel_find(dataplane->nymea, request->connection) &&
		!boxes_find_id(dataplane->boxes, request->connection))
		return call_refuse(call, ERR_NOT_FOUND, "connection", "no such server is here");
	return OK;
}

err_t link_offer(struct dataplane *dataplane, struct call *call,
	const Dataplane__OpenLinkRequest *request, Dataplane__Link *reply)
{
	struct links *links = dataplane->links;
	struct offer *offer;
	err_t err = check_request(dataplane, call, request, reply);

	if (err != OK)
		return err;
	offer = make_offer(links, request);
	reply->endpoint = arena_strdup(call->arena, links->endpoint);
	reply->id.data = memcpy(arena_alloc(call->arena, LINK_ID_LEN), offer->id, LINK_ID_LEN);
	reply->id.len = LINK_ID_LEN;
	reply->keys.data =
		memcpy(arena_alloc(call->arena, LINK_KEYS_LEN), offer->keys, LINK_KEYS_LEN);
	reply->keys.len = LINK_KEYS_LEN;
	return OK;
}

/* Who came; the link is joined with whom it was asked for, if that one is still there. */
static bool join_offer(struct offer *offer, struct relay_end *far)
{
	struct dataplane *dataplane = offer->links->dataplane;
	struct tunnel_server *server;
	struct relay_end *place;
	struct guest *guest;

	if (*offer->trunk != '\0') {
		trunks_take(dataplane->trunks, offer->trunk, far);
		return true;
	}
	if (*offer->pair != '\0') {
		guest = waiting_guest(dataplane, offer->connection);
		if (!guest)
			return false;
		COPY(guest->pair, offer->pair);
		guest_meet_far(guest, far, offer->name, offer->uuid);
		return true;
	}
	server = tunnel_find(dataplane->nymea, offer->connection);
	if (server)
		place = tunnel_enter(server,
			&(struct tunnel_visitor){ offer->name, offer->uuid, offer->address });
	else
		place = far_enter(dataplane->boxes, offer->connection, offer->name, offer->address);
	if (place)
		relay_join(far, place);
	return place != NULL;
}

static struct relay_end *on_link(
	void *context, struct stream *stream, const uint8_t id[LINK_ID_LEN])
{
	struct links *links = context;
	struct relay_end *far = NULL;
	struct offer *offer;

	HASH_FIND(hh, links->offers, id, LINK_ID_LEN, offer);
	if (!offer)
		return NULL;
	far = link_end_accept(stream, offer->keys);
	if (!join_offer(offer, far))
		end_close(&far->end, WS_STATUS_NORMAL, "");
	drop_offer(offer);
	return far;
}

static void on_accepted(void *context, struct stream *stream)
{
	link_end_await(stream, on_link, context);
}

/* The address under which the others reach this process, with the port that we listen on. */
static void set_endpoint(struct links *links)
{
	const char *host = strstr(bus_url(links->dataplane->bus), "://");
	const char *colon;

	host = host ? host + 3 : "127.0.0.1:0";
	colon = strrchr(host, ':');
	snprintf(links->endpoint, sizeof(links->endpoint), "%.*s:%u", (int)(colon - host), host,
		listener_port(links->listener));
}

err_t links_open(struct links **out, struct dataplane *dataplane, const char *listen)
{
	struct links *links = xcalloc(1, sizeof(*links));
	struct listener_options options = {
		.loop = loop_uv(dataplane->loop),
		.door = { .listen = listen },
		.streams = dataplane->streams,
		.accepted = on_accepted,
		.context = links,
	};
	err_t err;

	*out = links;
	links->dataplane = dataplane;
	if ((err = listener_open(&links->listener, &options)) == OK)
		set_endpoint(links);
	return err;
}

void links_close(struct links *links)
{
	struct offer *offer, *next;

	if (!links)
		return;
	listener_close(links->listener);
	HASH_ITER(hh, links->offers, offer, next)
	drop_offer(offer);
}

void links_destroy(struct links *links)
{
	free(links);
}

/* ---- the node that asks ---- */

struct errand {
	struct dataplane *dataplane;
	link_done *done; /* NULL: for a guest */
	char tenant[UUID_SIZE], node[UUID_SIZE], peer[UUID_SIZE];
	char connection[UUID_SIZE], pair[UUID_SIZE], trunk[UUID_SIZE];
	char *name, *uuid, *address;
	/* the answer */
	err_t err;
	int fd;
	char detail[sizeof(((struct fault *)NULL)->detail)];
	char *far_name, *far_uuid;
	uint8_t id[LINK_ID_LEN];
	uint8_t keys[LINK_KEYS_LEN];
};

static err_t connect_to(const char *endpoint, int *fd, struct fault *fault)
{
	const struct timeval limit = { .tv_sec = TIMEOUT_MS / 1000 };
	struct sockaddr_storage address;
	socklen_t len;

	if (endpoint_parse(endpoint, &address) != OK)
		return fault_set(fault, ERR_INTERNAL, NULL, "no address: %s", endpoint);
	len = address.ss_family == AF_INET ? sizeof(struct sockaddr_in)
					   : sizeof(struct sockaddr_in6);
	*fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return fault_set(fault, ERR_RESOURCE_EXHAUSTED, NULL, "no socket: %m");
	setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(*fd, (struct sockaddr *)&address, len) == 0) {
		fcntl(*fd, F_SETFL, O_NONBLOCK);
		return OK;
	}
	close(*fd);
	*fd = -1;
	return fault_set(fault, ERR_UNAVAILABLE, NULL, "can't connect to %s: %m", endpoint);
}

static void ask(void *arg)
{
	struct errand *errand = arg;
	Dataplane__OpenLinkRequest request = DATAPLANE__OPEN_LINK_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Dataplane__Link *link;
	struct call call;

	call_init(&call, errand->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = errand->tenant;
	request.connection = errand->peer;
	request.pair = errand->pair;
	request.name = errand->name;
	request.uuid = errand->uuid;
	request.address = errand->address;
	request.trunk = errand->trunk;
	errand->err = bus_call_at(&call, errand->node, &dataplane__dataplane__descriptor,
		"OpenLink", &request.base, &reply);
	link = (const Dataplane__Link *)reply;
	if (errand->err == OK && (link->id.len != LINK_ID_LEN || link->keys.len != LINK_KEYS_LEN))
		errand->err = fault_set(&call.fault, ERR_INTERNAL, NULL, "a link without keys");
	if (errand->err == OK) {
		memcpy(errand->id, link->id.data, LINK_ID_LEN);
		memcpy(errand->keys, link->keys.data, LINK_KEYS_LEN);
		errand->far_name = xstrdup(link->name);
		errand->far_uuid = xstrdup(link->uuid);
		errand->err = connect_to(link->endpoint, &errand->fd, &call.fault);
	}
	COPY(errand->detail, call.fault.detail);
	call_finish(&call);
}

static void tell_guest(struct errand *errand, struct relay_end *far)
{
	struct guest *guest = guest_find(errand->dataplane->guests, errand->connection);

	if (!guest || guest->relay.end.state != END_OPEN || guest->state == GUEST_MET ||
		guest->state == GUEST_OVER) {
		if (far)
			end_close(&far->end, WS_STATUS_NORMAL, "");
	} else if (far) {
		guest_meet_far(guest, far, errand->far_name, errand->far_uuid);
	} else if (errand->err == ERR_FAILED_PRECONDITION) {
		guest->state = GUEST_OVER;
		guest->hooks->met_itself(guest);
	} else {
		guest_claim_again(guest);
	}
}

static void on_asked(void *arg)
{
	struct errand *errand = arg;
	struct dataplane *dataplane = errand->dataplane;
	struct relay_end *far = NULL;

	if (errand->err == OK)
		far = link_end_connect(dataplane->streams, errand->fd, errand->id, errand->keys);
	else
		LOG_THROTTLED(LOG_LEVEL_WARN, "link_failed", "node=%s error=%s detail=%s",
			errand->node, err_name(errand->err), log_value(errand->detail));
	if (errand->done)
		errand->done(dataplane, errand->connection, far);
	else
		tell_guest(errand, far);
	free(errand->name);
	free(errand->uuid);
	free(errand->address);
	free(errand->far_name);
	free(errand->far_uuid);
	sodium_memzero(errand, sizeof(*errand));
	free(errand);
}

void link_open_server(
	struct dataplane *dataplane, const struct link_request *request, link_done *done)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	errand->dataplane = dataplane;
	errand->done = done;
	errand->fd = -1;
	COPY(errand->tenant, request->tenant);
	COPY(errand->node, request->node);
	COPY(errand->peer, request->peer);
	COPY(errand->connection, request->connection);
	COPY(errand->pair, request->pair);
	COPY(errand->trunk, request->trunk);
	errand->name = xstrdup(request->name);
	errand->uuid = xstrdup(request->uuid);
	errand->address = xstrdup(request->address);
	loop_work(dataplane->loop, ask, on_asked, errand);
}

void link_open(struct dataplane *dataplane, struct guest *guest, const char *pair, const char *node,
	const char *peer)
{
	if (guest->state == GUEST_MET || guest->state == GUEST_OVER)
		return;
	/* The one who came second connects. */
	COPY(guest->pair, pair);
	if (guest->state == GUEST_WAITING)
		return;
	link_open_server(dataplane,
		&(struct link_request){ guest->tenant, node, peer, guest->relay.end.id, pair,
			guest->name ? guest->name : "", guest->uuid ? guest->uuid : "",
			guest->relay.end.address, "" },
		NULL);
}
