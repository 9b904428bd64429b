/*
 * bus_pool: the live instances of the fleet and the pool of req0 sockets to each. Called by
 * lib/bus_call in the callers' threads and by bus_set_instances.
 *
 * One socket has one request in flight: several on one connection wedge nng's reaper when the peer
 * goes. A dial is synchronous, so that a refused connection is known at once, and runs in a thread
 * of its own, because a peer that neither accepts nor refuses would hold the caller past its
 * deadline.
 */
#include "lib/bus_internal.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <nng/protocol/reqrep0/req.h>

#include <string.h>

/* A socket whose connection is lost is closed, so nng need not dial again by itself. */
#define NEVER_MS (24 * 60 * 60 * 1000)

void peer_release(struct bus_peer *peer)
{
	struct bus *bus = peer->bus;
	int refs;

	pthread_mutex_lock(&bus->mutex);
	refs = --peer->refs;
	pthread_mutex_unlock(&bus->mutex);
	if (refs > 0)
		return;
	if (peer->n_conns != 0)
		BUG("peer with %d sockets and no reference", peer->n_conns);
	pthread_cond_destroy(&peer->changed);
	free(peer);
}

static bool contains(struct bus_peer *const peers[], size_t n, const struct bus_peer *peer)
{
	for (size_t i = 0; i < n; i++)
		if (peers[i] == peer)
			return true;
	return false;
}

static bool serves(const struct bus_peer *peer, const char *service)
{
	return *peer->at.url != '\0' && strcmp(peer->at.service, service) == 0;
}

/* Should it be asked rather than the other one? */
static bool is_before(const struct bus_peer *peer, const struct bus_peer *other, int64_t now)
{
	bool failed = peer->failed_until_ms > now, other_failed = other->failed_until_ms > now;

	return failed != other_failed ? other_failed : peer->turn < other->turn;
}

struct bus_peer *peer_next(
	struct bus *bus, const char *service, struct bus_peer *const tried[], size_t n_tried)
{
	struct bus_peer *next = NULL;
	int64_t now = clock_ms();

	pthread_mutex_lock(&bus->mutex);
	for (size_t i = 0; i < bus->n_peers; i++) {
		struct bus_peer *peer = bus->peers[i];

		if (serves(peer, service) && !peer->ended && !contains(tried, n_tried, peer) &&
			(next == NULL || is_before(peer, next, now)))
			next = peer;
	}
	if (next != NULL) {
		next->turn = ++bus->turn;
		next->refs++;
	}
	pthread_mutex_unlock(&bus->mutex);
	return next;
}

struct bus_peer **peers_of(struct bus *bus, const char *service, struct arena *arena, size_t *n)
{
	struct bus_peer **peers;

	*n = 0;
	pthread_mutex_lock(&bus->mutex);
	peers = arena_alloc(arena, bus->n_peers * sizeof(struct bus_peer *));
	for (size_t i = 0; i < bus->n_peers; i++)
		if (serves(bus->peers[i], service)) {
			bus->peers[i]->refs++;
			peers[(*n)++] = bus->peers[i];
		}
	pthread_mutex_unlock(&bus->mutex);
	return peers;
}

void peer_ended(struct bus_peer *peer)
{
	pthread_mutex_lock(&peer->bus->mutex);
	peer->ended = true;
	pthread_mutex_unlock(&peer->bus->mutex);
}

void peer_failed(struct bus_peer *peer)
{
	pthread_mutex_lock(&peer->bus->mutex);
	peer->failed_until_ms = clock_ms() + BUS_PASS_OVER_MS;
	pthread_mutex_unlock(&peer->bus->mutex);
}

/* ---- sockets ---- */

void conn_close(struct bus_conn *conn)
{
	struct bus_peer *peer = conn->peer;

	nng_close(conn->socket);
	free(conn);
	pthread_mutex_lock(&peer->bus->mutex);
	peer->n_conns--;
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->bus->mutex);
	peer_release(peer);
}

void conn_give(struct bus_conn *conn)
{
	struct bus_peer *peer = conn->peer;
	bool keep;

	pthread_mutex_lock(&peer->bus->mutex);
	keep = !peer->gone && !conn->lost;
	if (keep) {
		conn->next = peer->idle;
		peer->idle = conn;
		pthread_cond_broadcast(&peer->changed);
	}
	pthread_mutex_unlock(&peer->bus->mutex);
	if (!keep)
		conn_close(conn);
}

static void on_lost(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct bus_conn *conn = arg;

	(void)pipe;
	(void)event;
	conn->lost = true;
}

static err_t conn_open(struct bus_conn *conn)
{
	int rv = nng_req0_open(&conn->socket);

	if (rv != 0) {
		LOG_THROTTLED(LOG_LEVEL_ERROR, "bus_socket", "error=%s", nng_strerror(rv));
		return ERR_UNAVAILABLE;
	}
	if (bus_socket_limit(conn->socket, BUS_WIRE_MAX) == OK &&
		nng_socket_set_ms(conn->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) ==
			0 &&
		nng_socket_set_ms(conn->socket, NNG_OPT_RECONNMINT, NEVER_MS) == 0 &&
		nng_pipe_notify(conn->socket, NNG_PIPE_EV_REM_POST, on_lost, conn) == 0)
		return OK;
	nng_close(conn->socket);
	return ERR_INTERNAL;
}

static void *dial(void *arg)
{
	struct bus_conn *conn = arg;
	struct bus_peer *peer = conn->peer;
	int rv = nng_dial(conn->socket, peer->at.url, NULL, 0);
	bool abandoned;

	pthread_mutex_lock(&peer->bus->mutex);
	abandoned = conn->abandoned;
	conn->state = rv == 0 ? CONN_UP : CONN_REFUSED;
	pthread_cond_broadcast(&peer->changed);
	pthread_mutex_unlock(&peer->bus->mutex);
	/* From here on the socket is the waiter's, if there is one. */
	if (abandoned)
		conn_close(conn);
	return NULL;
}

/* Takes one of the pool's places, counted already, with its reference. */
static struct bus_conn *conn_dial(struct bus_peer *peer)
{
	struct bus_conn *conn = xcalloc(1, sizeof(*conn));

	conn->peer = peer;
	if (conn_open(conn) == OK) {
		if (bus_thread(dial, conn) == OK)
			return conn;
		nng_close(conn->socket);
	}
	free(conn);
	pthread_mutex_lock(&peer->bus->mutex);
	peer->n_conns--;
	pthread_mutex_unlock(&peer->bus->mutex);
	peer_release(peer);
	return NULL;
}

/* An idle socket, or room for a new one; when all are in use and the deadline has passed, neither.
 */
static struct bus_conn *take(struct bus_peer *peer, int64_t deadline_ms, bool *room)
{
	struct bus *bus = peer->bus;
	struct bus_conn *conn;
	bool waited = true;

	pthread_mutex_lock(&bus->mutex);
	while (peer->idle == NULL && peer->n_conns >= BUS_POOL_MAX && waited)
		waited = bus_cond_wait(&peer->changed, &bus->mutex, deadline_ms);
	conn = peer->idle;
	*room = conn == NULL && peer->n_conns < BUS_POOL_MAX;
	if (conn != NULL)
		peer->idle = conn->next;
	if (*room) {
		peer->n_conns++;
		peer->refs++;
	}
	pthread_mutex_unlock(&bus->mutex);
	return conn;
}

struct bus_conn *conn_start(struct bus_peer *peer, int64_t deadline_ms)
{
	struct bus_conn *conn;
	bool room;

	while ((conn = take(peer, deadline_ms, &room)) != NULL && conn->lost)
		conn_close(conn);
	return room ? conn_dial(peer) : conn;
}

bool conn_wait(struct bus_conn *conn, int64_t deadline_ms)
{
	struct bus_peer *peer = conn->peer;
	struct bus *bus = peer->bus;
	nng_socket socket = conn->socket;
	int64_t limit = clock_ms() + BUS_CONNECT_LIMIT_MS;
	bool up, abandoned, waited = true;

	if (deadline_ms < limit)
		limit = deadline_ms;
	pthread_mutex_lock(&bus->mutex);
	while (conn->state == CONN_DIALLING && waited)
		waited = bus_cond_wait(&peer->changed, &bus->mutex, limit);
	up = conn->state == CONN_UP;
	abandoned = conn->abandoned = conn->state == CONN_DIALLING;
	pthread_mutex_unlock(&bus->mutex);
	/* The dial ends with the socket. It would take two minutes by itself: by then, dials to an
	 * instance that is cut off would have all places of its pool. */
	if (abandoned)
		nng_close(socket);
	else if (!up)
		conn_close(conn);
	return up;
}

/* ---- who is alive ---- */

static struct bus_peer *peer_create(struct bus *bus, const struct bus_instance *instance)
{
	struct bus_peer *peer = xcalloc(1, sizeof(*peer));

	if (seal_uuid(instance->instance, peer->uuid) != OK)
		BUG("instance %s", instance->instance);
	peer->bus = bus;
	peer->at = *instance;
	peer->refs = 1;
	bus_cond_init(&peer->changed);
	doorbells_dial(bus, peer);
	return peer;
}

/* Drops what the directory holds of an instance that is no longer listed. */
static void peer_drop(struct bus_peer *peer)
{
	struct bus_conn *idle, *next;

	doorbells_hang_up(peer);
	pthread_mutex_lock(&peer->bus->mutex);
	peer->gone = true;
	idle = peer->idle;
	peer->idle = NULL;
	pthread_mutex_unlock(&peer->bus->mutex);
	for (; idle != NULL; idle = next) {
		next = idle->next;
		conn_close(idle);
	}
	peer_release(peer);
}

static bool listed(const struct bus_peer *peer, const struct bus_instance *instances, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(instances[i].instance, peer->at.instance) == 0)
			return true;
	return false;
}

static struct bus_peer *known(const struct bus *bus, const struct bus_instance *instance)
{
	for (size_t i = 0; i < bus->n_peers; i++)
		if (strcmp(bus->peers[i]->at.instance, instance->instance) == 0)
			return bus->peers[i];
	return NULL;
}

/* Only this thread writes the list, so it may read it without the mutex. */
void bus_set_instances(struct bus *bus, const struct bus_instance *instances, size_t n)
{
	struct bus_peer **peers = xcalloc(n, sizeof(struct bus_peer *));
	struct bus_peer **old = bus->peers;
	size_t n_old = bus->n_peers;

	for (size_t i = 0; i < n; i++) {
		peers[i] = known(bus, &instances[i]);
		if (peers[i] == NULL)
			peers[i] = peer_create(bus, &instances[i]);
	}
	pthread_mutex_lock(&bus->mutex);
	bus->peers = peers;
	bus->n_peers = n;
	pthread_mutex_unlock(&bus->mutex);

	for (size_t i = 0; i < n; i++)
		if (!contains(old, n_old, peers[i]))
			missing_found(bus, instances[i].service);
	for (size_t i = 0; i < n_old; i++)
		if (!listed(old[i], instances, n))
			peer_drop(old[i]);
	free(old);
}

size_t bus_count(struct bus *bus, const char *service)
{
	size_t n = 0;

	pthread_mutex_lock(&bus->mutex);
	for (size_t i = 0; i < bus->n_peers; i++)
		n += serves(bus->peers[i], service);
	pthread_mutex_unlock(&bus->mutex);
	return n;
}
