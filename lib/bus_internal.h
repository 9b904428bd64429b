/*
 * bus_internal: what the files of lib/bus share: the bus, its peers and their pools of sockets.
 * These files are the only ones that see nng; docs/bus.md says why they use it as they do.
 */
#pragma once

#include "lib/bus.h"
#include "lib/bus_seal.h"
#include "lib/metrics.h"
#include "proto/bus.pb-c.h"

#include <nng/nng.h>

#include <pthread.h>

/* nng counts its own request id too. */
#define BUS_WIRE_MAX (BUS_MESSAGE_MAX + 64)
/* Room for a packed body: the seal and the envelope's own fields take the rest. */
#define BUS_BODY_MAX (BUS_MESSAGE_MAX - 4096)
/* What unpacking may allocate, over all. Nested messages grow 35 to 57 times when unpacked. */
#define BUS_UNPACK_MAX (4 * 1024 * 1024)

#define BUS_POOL_MAX	     64	  /* sockets to one instance */
#define BUS_CONNECT_LIMIT_MS 1000 /* a connection that takes longer is none */
#define BUS_PASS_OVER_MS     1000 /* a failed instance rests while others are there */

#define BUS_KEY_MAX   255 /* bytes of an idempotency key */
#define BUS_ACTOR_MAX 128
#define BUS_TRACE_LEN 32
#define BUS_TOPIC_MAX 64

/* ---- bus_pool.c: the instances and the sockets to them ---- */

/* One req0 socket, with one request in flight at most. Belongs to the call that took it; while it
 * is idle, to the pool. */
struct bus_conn {
	struct bus_peer *peer; /* holds a reference */
	nng_socket socket;
	enum { CONN_DIALLING, CONN_UP, CONN_REFUSED } state; /* bus.mutex guards it */
	bool abandoned;	       /* bus.mutex: who dialled it has left: the pool may have it */
	_Atomic bool lost;     /* the connection has gone; set by a thread of nng */
	struct bus_conn *next; /* bus_peer.idle */
};

/* One live instance. The bus's mutex guards all that changes. */
struct bus_peer {
	struct bus *bus;
	struct bus_instance at; /* constant */
	uint8_t uuid[SEAL_UUID_LEN];
	int refs;  /* of bus.peers, each socket, each call that uses it */
	bool gone; /* no longer in bus.peers */
	int64_t failed_until_ms;
	int n_conns; /* idle, in use, or being dialled */
	struct bus_conn *idle;
	pthread_cond_t changed; /* a socket came back, or its dial has ended */
	nng_dialer doorbells;	/* of the thread that calls bus_set_instances; id 0: none */
};

/* Chooses the next live instance of the service that is not in `tried`, rested ones first, and
 * takes a reference. NULL: there is no other. */
struct bus_peer *peer_next(
	struct bus *bus, const char *service, struct bus_peer *const tried[], size_t n_tried);

/* References to all live instances of the service; the array is in the arena. */
struct bus_peer **peers_of(struct bus *bus, const char *service, struct arena *arena, size_t *n);
void peer_release(struct bus_peer *peer);

/* Others are preferred for a while. */
void peer_failed(struct bus_peer *peer);

/* Takes an idle socket, or starts to dial a new one; when all are in use, waits for one until the
 * deadline: then NULL. */
struct bus_conn *conn_start(struct bus_peer *peer, int64_t deadline_ms);

/* Waits until it is connected. Takes it if not: false, the instance can't be reached in time. */
bool conn_wait(struct bus_conn *conn, int64_t deadline_ms) MUST_CHECK;

/* Gives it back after a request that was answered. */
void conn_give(struct bus_conn *conn);

/* Closes it: after a request that was not answered it must not be used again. */
void conn_close(struct bus_conn *conn);

/* ---- bus_envelope.c: protobuf in and out of arenas ---- */

struct span envelope_pack(struct arena *arena, const ProtobufCMessage *message);

/* NULL if the bytes are not such a message, or unpack to more than BUS_UNPACK_MAX. */
ProtobufCMessage *envelope_unpack(
	struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span packed);

/* Puts the texts of a request into the call, each checked; ERR_INVALID_ARGUMENT with the fault. */
err_t envelope_open(struct call *call, const Bus__Request *request) MUST_CHECK;

/* The same checks for a call that is about to leave. */
err_t envelope_check(struct call *call) MUST_CHECK;

/* Is it 1 to BUS_TOPIC_MAX of a-z, 0-9 and _? */
bool envelope_topic_fine(const char *topic);

/* ---- bus_server.c ---- */

struct bus_worker {
	struct bus *bus;
	nng_ctx ctx;
	nng_aio *aio;
};

/* Runs one request: the packed bus.Request that was sealed, into the packed bus.Reply, in the
 * call's arena. The call has its arena and its bus; the rest is filled. */
struct span server_answer(const struct bus_server *server, void *worker_state, struct call *call,
	struct span envelope);

/* Stops taking requests and waits for the workers until the deadline. */
void workers_stop(struct bus *bus, int64_t deadline_ms);

/* ---- bus_doorbell.c ---- */

/* Opens both sockets and starts to hear. */
err_t doorbells_open(struct bus *bus) MUST_CHECK;
void doorbells_dial(struct bus *bus, struct bus_peer *peer);
void doorbells_hang_up(struct bus_peer *peer);

/* ---- bus_canary.c ---- */

/* Watches for as long as the process lives; one in a process is enough. */
err_t canary_start(void) MUST_CHECK;

/* ---- bus.c ---- */

struct bus {
	const char *instance;
	struct seal seal;
	char url[BUS_URL_LEN];
	char events_url[BUS_URL_LEN];

	pthread_mutex_t
		mutex; /* guards the peers and their pools; never held during a call of nng */
	struct bus_peer **peers;
	size_t n_peers;
	unsigned turn;

	nng_socket rep;
	struct bus_server server;
	struct bus_worker *workers;
	pthread_mutex_t work_mutex; /* guards the four below */
	pthread_cond_t work_changed;
	bool draining;
	int n_busy;
	int n_workers; /* threads that run */

	nng_socket pub;
	nng_socket sub;
	pthread_mutex_t doorbell_mutex; /* guards the two below, also while `heard` runs */
	void (*heard)(void *context, const char *topic);
	void *heard_context;
};

extern struct metric bus_call_seconds, bus_failovers, bus_served;

/* Counts a message that was not accepted, and says so at most once a second. `from` may be NULL. */
void bus_refused(enum seal_verdict verdict, nng_msg *from);

/* Allocates a message with `plain` sealed in it. NULL: nng has no memory. */
nng_msg *bus_sealed(struct bus *bus, struct seal_header *header, struct span plain);

/* The bytes of a message, borrowed. */
struct span bus_bytes(nng_msg *msg);

/* Sets the options of the recipe that every socket needs, and logs what fails. */
err_t bus_socket_limit(nng_socket socket, size_t message_max) MUST_CHECK;

/* Runs `run(arg)` in a thread of its own that nobody joins. */
err_t bus_thread(void *(*run)(void *arg), void *arg) MUST_CHECK;

/* Condition variables on clock_ms(). False: the deadline has passed. */
void bus_cond_init(pthread_cond_t *cond);
bool bus_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ms);
