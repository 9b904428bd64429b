/*
 * tunnel_server: a slot is the end that stands for one client on the server's connection. What
 * waits in it becomes frames as long as that connection has room, each slot in its turn. A client
 * that reads nothing holds the server's connection for a while, and is sent away then: the protocol
 * has no way to hold one client alone.
 */
#include "dataplane/nymea/tunnel_server.h"

#include "dataplane/dataplane.h"
#include "dataplane/relay/registry.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define TICK_MS	       5000
#define ANNOUNCE_TICKS 6	   /* 30 s */
#define FRAME_MAX      (16 * 1024) /* data in one frame that we make */

struct slot {
	struct relay_end relay;
	struct tunnel_server *server;
	uint16_t address;
	bool finishing;		   /* goes when its queue is empty */
	bool held;		   /* its client's queue is full */
	uint64_t taken;		   /* what the client had read at the last tick */
	char *name, *uuid;	   /* of the client */
	struct slot *next, **link; /* tunnel_server.first */
	UT_hash_handle hh;	   /* tunnel_server.by_address */
};

struct tunnel_server {
	struct client *client; /* its connection; NULL: gone */
	char uuid[UUID_SIZE];
	char *name;
	struct slot *by_address;
	struct slot *first; /* in the order of their turns */
	unsigned n_held;
	uint16_t last_address;
	bool quiet; /* its answer must arrive alone */
	bool pumping;
	struct pipe early; /* frames of that time */
	struct slip_reader reader;
	struct splitter documents;
	uv_timer_t timer;
	unsigned ticks;
	int64_t heard_ms;
};

static struct end *connection(const struct tunnel_server *server)
{
	return &server->client->guest.relay.end;
}

/* ---- frames to the server ---- */

static void push_bytes(struct tunnel_server *server, const uint8_t *data, size_t len)
{
	const struct pipe_piece piece = { .data = data, .len = len, .first = true, .final = true };

	if (server->quiet)
		pipe_push(&server->early, &piece);
	else
		end_push(connection(server), &piece);
}

static void push_frame(struct tunnel_server *server, unsigned address, const void *data, size_t len)
{
	uint8_t frame[SLIP_FRAME_MAX(FRAME_MAX)];

	push_bytes(server, frame, slip_write(frame, address, data, len));
}

void tunnel_server_send(struct tunnel_server *server, char *text)
{
	size_t len = strlen(text);
	uint8_t *frame = xmalloc(SLIP_FRAME_MAX(len));

	push_bytes(server, frame, slip_write(frame, SLIP_ADDRESS_RPC, text, len));
	free(frame);
	free(text);
}

static void notify(struct tunnel_server *server, const char *name, json_t *params)
{
	tunnel_server_send(
		server, rpc_notification(nymea_next_notification(server->client->port->nymea), name,
				params));
}

/* ---- slots ---- */

static void slot_gone(struct slot *slot)
{
	struct tunnel_server *server = slot->server;

	server->n_held -= slot->held;
	HASH_DELETE(hh, server->by_address, slot);
	*slot->link = slot->next;
	if (slot->next)
		slot->next->link = slot->link;
	if (server->client)
		notify(server, "TunnelProxy.ClientDisconnected",
			json_pack("{s:i}", "socketAddress", (int)slot->address));
	slot->relay.end.state = END_CLOSED;
	slot->relay.end.face->closed(&slot->relay.end);
}

/* Makes frames of what waits in the slot, one turn's worth; true: there may be more. */
static bool slot_write(struct slot *slot)
{
	struct end *end = &slot->relay.end;
	struct pipe_piece piece;
	size_t len;

	if (!pipe_peek(&end->out, &piece))
		return false;
	len = piece.len < FRAME_MAX ? piece.len : FRAME_MAX;
	if (len > 0)
		push_frame(slot->server, slot->address, piece.data, len);
	end->tx_bytes += len;
	pipe_take(&end->out, len);
	end_filled(end);
	return !pipe_is_empty(&end->out);
}

static bool has_room(const struct tunnel_server *server)
{
	if (server->quiet)
		return server->early.bytes < PIPE_FULL;
	return !end_is_full(connection(server)) && connection(server)->state == END_OPEN;
}

/* Turn by turn, while the connection has room. */
static void pump(struct tunnel_server *server)
{
	bool more = true;

	if (server->pumping)
		return;
	server->pumping = true;
	while (more && has_room(server)) {
		struct slot *next;

		more = false;
		for (struct slot *slot = server->first; slot && has_room(server); slot = next) {
			next = slot->next;
			more = slot_write(slot) || more;
			if (slot->finishing && pipe_is_empty(&slot->relay.end.out))
				slot_gone(slot);
		}
	}
	server->pumping = false;
}

static struct slot *slot_of(struct end *end)
{
	return end->connection;
}

static void slot_wake(struct end *end)
{
	pump(slot_of(end)->server);
}

static void slot_hold(struct end *end, bool held)
{
	struct slot *slot = slot_of(end);
	struct tunnel_server *server = slot->server;

	if (slot->held == held || !server->client)
		return;
	slot->held = held;
	slot->taken = slot->relay.partner ? slot->relay.partner->end.tx_bytes : 0;
	server->n_held += held ? 1 : (unsigned)-1;
	end_hold(connection(server), server->n_held > 0);
}

static void slot_set_timer(struct end *end, unsigned ms)
{
	(void)end;
	(void)ms;
}

static void slot_finish(struct end *end, enum ws_status code, const char *reason)
{
	(void)code;
	(void)reason;
	slot_of(end)->finishing = true;
	pump(slot_of(end)->server);
}

static void slot_close(struct end *end, enum ws_status code, const char *reason)
{
	end->state = END_OPEN; /* what waits is still the server's */
	slot_finish(end, code, reason);
}

static const struct end_transport slot_transport = {
	.name = "tunnel",
	.wake = slot_wake,
	.hold = slot_hold,
	.set_timer = slot_set_timer,
	.close = slot_close,
	.finish = slot_finish,
};

static void on_slot_received(struct relay_end *one, const struct pipe_piece *piece)
{
	(void)one;
	(void)piece;
}

static void on_slot_parted(struct relay_end *one)
{
	end_finish(&one->end, WS_STATUS_NORMAL, "");
}

static void on_slot_closed(struct relay_end *one)
{
	struct slot *slot = (struct slot *)one;

	free(slot->name);
	free(slot->uuid);
	free(slot);
}

static const struct relay_hooks slot_hooks = {
	.received = on_slot_received,
	.parted = on_slot_parted,
	.closed = on_slot_closed,
};

static struct slot *find_slot(struct tunnel_server *server, unsigned address)
{
	uint16_t key = (uint16_t)address;
	struct slot *slot;

	if (address > SLIP_ADDRESS_MAX)
		return NULL;
	HASH_FIND(hh, server->by_address, &key, sizeof(key), slot);
	return slot;
}

/* The next address that is free; 0: there is none. */
static uint16_t free_address(struct tunnel_server *server)
{
	for (unsigned tries = 0; tries < 100; tries++) {
		server->last_address = server->last_address < SLIP_ADDRESS_MAX
					       ? (uint16_t)(server->last_address + 1)
					       : 1;
		if (!find_slot(server, server->last_address))
			return server->last_address;
	}
	return 0;
}

struct relay_end *tunnel_enter(struct tunnel_server *server, const struct tunnel_visitor *visitor)
{
	uint16_t address = free_address(server);
	struct slot *slot;

	if (address == 0 || client_is_deaf(server->client, server->early.bytes))
		return NULL;
	slot = xcalloc(1, sizeof(*slot));
	slot->server = server;
	slot->address = address;
	slot->name = xstrdup(visitor->name);
	slot->uuid = xstrdup(visitor->uuid);
	end_init(&slot->relay.end, &slot_transport, slot, visitor->address);
	relay_init(&slot->relay, &slot_hooks);
	HASH_ADD(hh, server->by_address, address, sizeof(slot->address), slot);
	slot->next = server->first;
	slot->link = &server->first;
	if (slot->next)
		slot->next->link = &slot->next;
	server->first = slot;
	notify(server, "TunnelProxy.ClientConnected",
		json_pack("{s:s, s:o, s:s, s:i}", "clientName", visitor->name, "clientUuid",
			json_sprintf("{%s}", visitor->uuid), "clientPeerAddress", visitor->address,
			"socketAddress", (int)address));
	return &slot->relay;
}

/* ---- frames from the server ---- */

static void take_documents(struct tunnel_server *server, const struct slip_piece *piece)
{
	struct client *client = server->client;
	const char *text;
	size_t len;

	splitter_add(&server->documents, piece->data, piece->len);
	if (piece->final)
		while (client->state == CLIENT_SERVER &&
			splitter_next(&server->documents, &text, &len) &&
			!client_is_deaf(client, server->early.bytes))
			tunnel_handle(client, text, len);
	if (splitter_overflows(&server->documents))
		client_end(client, "Data buffer size violation.");
}

static void take_piece(struct tunnel_server *server, const struct slip_piece *piece)
{
	struct slot *slot;

	if (piece->address == SLIP_ADDRESS_RPC) {
		take_documents(server, piece);
		return;
	}
	slot = find_slot(server, piece->address);
	if (!slot || piece->len == 0)
		return;
	slot->relay.end.rx_bytes += piece->len;
	slot->relay.end.face->received(&slot->relay.end, &(struct pipe_piece){
								 .data = piece->data,
								 .len = piece->len,
								 .first = true,
								 .final = true,
							 });
}

void tunnel_server_received(struct tunnel_server *server, const struct pipe_piece *bytes)
{
	uint8_t out[FRAME_MAX];
	const uint8_t *data = bytes->data;
	size_t len = bytes->len;
	struct slip_piece piece;
	struct client *client = server->client;

	server->heard_ms = clock_ms();
	while (client->state == CLIENT_SERVER &&
		slip_read(&server->reader, &data, &len, out, sizeof(out), &piece))
		take_piece(server, &piece);
}

void tunnel_server_drained(struct tunnel_server *server)
{
	pump(server);
}

/* ---- time ---- */

void tunnel_server_timer(struct tunnel_server *server)
{
	struct pipe_piece piece;

	server->quiet = false;
	while (pipe_peek(&server->early, &piece)) {
		end_push(connection(server), &piece);
		pipe_take(&server->early, piece.len);
		pipe_release(&server->early);
	}
	pump(server);
}

/* Sends those away who hold the connection and have read nothing since the last tick. */
static void end_stalled(struct tunnel_server *server)
{
	struct slot *slot, *next;

	HASH_ITER(hh, server->by_address, slot, next)
	{
		uint64_t taken;

		if (!slot->held || !slot->relay.partner)
			continue;
		taken = slot->relay.partner->end.tx_bytes;
		if (taken == slot->taken)
			end_close(&slot->relay.partner->end, CLIENT_CLOSE, "Too slow.");
		slot->taken = taken;
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct tunnel_server *server = timer->data;
	int64_t limit_ms = server->client->port->nymea->settings->server_timeout_ms;

	if (server->n_held == 0 && clock_ms() - server->heard_ms > limit_ms) {
		client_end(server->client, "Proxy timeout occurred. The socket was inactive.");
		return;
	}
	end_stalled(server);
	if (++server->ticks % ANNOUNCE_TICKS == 0)
		registry_announce(server->client->port->nymea->dataplane,
			&(struct registry_question){ .tenant = server->client->guest.tenant,
				.server = server->uuid,
				.name = server->name,
				.connection = connection(server)->id },
			NULL);
}

/* ---- life ---- */

void tunnel_server_create(struct client *client, const char *uuid, const char *name)
{
	struct nymea *nymea = client->port->nymea;
	struct tunnel_server *server = xcalloc(1, sizeof(*server));

	server->client = client;
	server->quiet = true;
	server->heard_ms = clock_ms();
	server->name = xstrdup(name);
	snprintf(server->uuid, sizeof(server->uuid), "%s", uuid);
	client->server = server;
	client->state = CLIENT_SERVER;
	connection(server)->text_only = false;
	uv_timer_init(loop_uv(nymea->dataplane->loop), &server->timer);
	server->timer.data = server;
	uv_timer_start(&server->timer, on_tick, TICK_MS, TICK_MS);
	end_set_timer(connection(server), CLIENT_QUIET_MS);
	log_info("tunnel_server_registered", "server=%s name=%s connection=%s", uuid,
		log_value(name), connection(server)->id);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void tunnel_server_destroy(struct tunnel_server *server)
{
	struct client *client = server->client;

	registry_release(client->port->nymea->dataplane, client->guest.tenant, server->uuid,
		connection(server)->id);
	log_info("tunnel_server_left", "server=%s connection=%s", server->uuid,
		connection(server)->id);
	server->client = NULL;
	while (server->first)
		slot_gone(server->first);
	pipe_finish(&server->early);
	splitter_finish(&server->documents);
	free(server->name);
	uv_close((uv_handle_t *)&server->timer, on_timer_closed);
}

const char *tunnel_server_uuid(const struct tunnel_server *server)
{
	return server->uuid;
}

const char *tunnel_server_name(const struct tunnel_server *server)
{
	return server->name;
}

bool tunnel_server_disconnect(struct tunnel_server *server, unsigned address)
{
	struct slot *slot = find_slot(server, address);

	if (!slot)
		return false;
	if (slot->relay.partner)
		end_finish(&slot->relay.partner->end, CLIENT_CLOSE, "Server requested disconnect.");
	slot_gone(slot);
	return true;
}

void tunnel_server_each(struct tunnel_server *server,
	void (*each)(struct relay_end *slot, const struct tunnel_visitor *visitor, void *arg),
	void *arg)
{
	struct slot *slot, *next;

	HASH_ITER(hh, server->by_address, slot, next)
	each(&slot->relay,
		&(struct tunnel_visitor){ slot->name, slot->uuid, slot->relay.end.address }, arg);
}
