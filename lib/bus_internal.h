/*
 * bus_internal: what the files of lib/bus share: the bus, its peers and their pools of sockets.
 * These files are the only ones that see nng; docs/bus.md says why they use it as they do.
 */
#pragma once

#include "lib/bus.h"
#include "lib/bus_envelope.h"
#include "lib/bus_pool.h"
#include "lib/bus_seal.h"
#include "lib/metrics.h"

#include <nng/nng.h>

#include <pthread.h>

/* nng counts its own request id too. */
#define BUS_WIRE_MAX (BUS_MESSAGE_MAX + 64)

#define BUS_HEARERS_MAX 4 /* of doorbells */

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
bool workers_stop(struct bus *bus, int64_t deadline_ms);

/* ---- bus_doorbell.c ---- */

/* Opens both sockets and starts to hear. */
err_t doorbells_open(struct bus *bus) MUST_CHECK;
void doorbells_dial(struct bus *bus, struct bus_peer *peer);
void doorbells_hang_up(struct bus_peer *peer);
void doorbells_close(struct bus *bus); /* nobody hears any more */

/* ---- bus_canary.c ---- */

/* Watches for as long as the process lives; one in a process is enough. */
err_t canary_start(void) MUST_CHECK;

/* ---- bus_missing.c ---- */

#define BUS_MISSING_MAX 8

/* A service that nobody answered for. */
struct missing {
	const char *service; /* kept; NULL: a free place */
	int64_t since_ms;
};

/* After nobody took a call: waits a moment, for an instance that comes, and then the call is worth
 * another try. False at once if the service has been missing for long or the call's time is over.
 * `service` is kept. */
bool missing_wait(struct bus *bus, const char *service, int64_t deadline_ms);

/* An instance of the service has answered, or is new. */
void missing_found(struct bus *bus, const char *service);

/* ---- bus.c ---- */

struct bus {
	const char *instance;
	struct seal seal;
	char url[BUS_URL_LEN];
	char events_url[BUS_URL_LEN];

	/* Guards the peers and their pools; never held during a call of nng. */
	pthread_mutex_t mutex;
	struct bus_peer **peers;
	size_t n_peers;
	uint64_t turn; /* counts the instances that were chosen */
	struct missing missing[BUS_MISSING_MAX];
	int n_waiting;	     /* calls in missing_wait */
	pthread_cond_t came; /* an instance that was not there before */

	nng_socket rep;
	struct bus_server server;
	struct bus_worker *workers;
	pthread_cond_t work_changed;
	pthread_mutex_t work_mutex; /* guards the three below */
	bool draining;
	int n_busy;
	int n_workers; /* threads that run */

	nng_socket pub;
	nng_socket sub;
	pthread_mutex_t doorbell_mutex; /* guards the hearers, also while one runs */
	struct {
		void (*heard)(void *context, const char *topic); /* NULL: a free place */
		void *context;
	} hearers[BUS_HEARERS_MAX];
};

extern struct metric bus_call_seconds, bus_failovers, bus_served;

/* Counts a message that was not accepted, and says so at most once a second. `from` may be NULL. */
void bus_refused(enum seal_verdict verdict, nng_msg *from);

/* A new message with `plain` sealed in it. */
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
