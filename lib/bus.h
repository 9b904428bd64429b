/*
 * bus: calls between processes, sealed, over pooled nng req/rep sockets, and doorbells over
 * pub/sub.
 *
 * The only code that sees nng; it follows the recipe that nng 1.5.2 needs (docs/bus.md): tcp only,
 * one request in flight a socket, resend off, a socket whose request timed out is closed, size
 * limits, a canary that aborts a wedged process, an exit that does not trust nng_close. Thread
 * safe.
 */
#pragma once

#include "lib/call.h"
#include "lib/err.h"

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_MESSAGE_MAX	       (256 * 1024) /* bytes of one sealed message */
#define BUS_INSTANCE_LEN       37	    /* UUID text with its NUL */
#define BUS_URL_LEN	       256
#define BUS_DEFAULT_TIMEOUT_MS 5000

struct bus;

/* One live process of the fleet, as fabric.instance has it. */
struct bus_instance {
	char service[32];
	char instance[BUS_INSTANCE_LEN];
	char url[BUS_URL_LEN];	      /* req/rep; empty: serves nothing */
	char events_url[BUS_URL_LEN]; /* pub/sub; empty: publishes nothing */
};

struct bus_options {
	const char *service;	    /* own name, e.g. "auth"; kept */
	const char *instance;	    /* own UUID; kept */
	const char *fleet_key_file; /* lines "ID:64 hex digits"; the first seals, all open */
	const char *listen;	    /* "tcp://ADDRESS:PORT", port 0: any */
	const char
		*advertise; /* host or address that others dial; NULL: that of listen, or our own */
};

/* Reads the keys, opens the listening socket of replies and the one of doorbells, starts the
 * canary. All signals must be blocked already (nng's threads inherit the mask). Errors are logged.
 */
err_t bus_open(struct bus **out, const struct bus_options *options) MUST_CHECK;

/* Stops accepting, lets workers finish what they have until `drain_ms` is over, and forgets the
 * sockets; the process must exit soon after. False: a worker still runs, so nothing that it may use
 * can be freed. NULL is fine. */
bool bus_close(struct bus *bus, int64_t drain_ms);

/* Where others reach this process: valid after bus_open. */
const char *bus_url(const struct bus *bus);
const char *bus_events_url(const struct bus *bus);
const char *bus_self(const struct bus *bus); /* own instance UUID */

/* Tells the bus who is alive. Calls go to these, doorbells are heard from these; called again and
 * again by lib/fabric, copies the list. */
void bus_set_instances(struct bus *bus, const struct bus_instance *instances, size_t n);

/* Number of live instances of a service, as last told. */
size_t bus_count(struct bus *bus, const char *service);

/* Does a call wait for a service that nobody answers for? Then the list should be read soon. */
bool bus_is_waiting(struct bus *bus);

/* ---- calling ---- */

/*
 * Calls `method` ("CreateTenant") of `service` (e.g. &auth__auth__descriptor) at one live instance
 * and puts the reply, allocated in the call's arena, into `reply`. Tenant, trace, actor, deadline
 * and idempotency key are the call's. Live instances take turns. An instance that can't be reached
 * or hangs up is passed over and the next one asked, within the deadline: always when the request
 * surely was not run, else only for methods that do no harm when they run twice (Get..., List...,
 * and some more) or a call with an idempotency key. When none is left, it waits for one that
 * starts, at most 5 s from when the service was missed first. The status and fault that the service
 * answered with become the return value and call->fault; when nothing is reachable:
 * ERR_UNAVAILABLE, when time is over: ERR_DEADLINE_EXCEEDED, with a fault that says so.
 */
err_t bus_call(struct call *call, const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply) MUST_CHECK;

/* Calls that instance of the service and no other; ERR_UNAVAILABLE if it is not alive. */
err_t bus_call_at(struct call *call, const char *instance,
	const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply) MUST_CHECK;

/* What one instance answered to bus_call_each; `reply` is in the call's arena, NULL if err != OK.
 */
struct bus_answer {
	char instance[BUS_INSTANCE_LEN];
	err_t err;
	const ProtobufCMessage *reply;
};

/* Asks every live instance of the service at the same time and gathers what has come by the
 * deadline. `answers` is an array of `n` in the call's arena. OK even if none or all failed: look
 * at each. */
err_t bus_call_each(struct call *call, const ProtobufCServiceDescriptor *service,
	const char *method, const ProtobufCMessage *request, struct bus_answer **answers,
	size_t *n) MUST_CHECK;

/* ---- serving ---- */

/* One request that a worker has unsealed; `reply` is made by bus_run, in the call's arena. */
struct bus_request {
	struct call *call;
	const char *method; /* "auth.Auth/CreateTenant" */
	const uint8_t *body;
	size_t body_len;
	uint8_t *reply;
	size_t reply_len;
	err_t err;		   /* the handler's verdict, set by bus_result */
	ProtobufCService *service; /* whose method it is */
	unsigned method_index;
};

struct bus_server {
	ProtobufCService *const *services; /* NULL-terminated list of generated service objects */
	int workers;
	void *context;			     /* given to worker_open */
	void *(*worker_open)(void *context); /* runs in the worker's thread; may be NULL */
	void (*worker_close)(void *worker);
	/* Runs one request, normally by calling bus_run once inside a transaction; NULL: bus_run
	 * itself. */
	err_t (*around)(void *worker, struct bus_request *request);
};

/* Starts the workers. Requests for unknown methods are answered ERR_UNIMPLEMENTED. The struct is
 * copied. */
err_t bus_serve(struct bus *bus, const struct bus_server *server) MUST_CHECK;

/* Unpacks the body, runs the handler, packs its reply. */
err_t bus_run(struct bus_request *request) MUST_CHECK;

/* For BUS_HANDLER only. */
struct call *bus_request_call(void *closure_data);
bool bus_result(void *closure_data, err_t err);
void bus_reply(const ProtobufCMessage *reply, void *closure_data);

/*
 * Turns `err_t method(struct call *, const Request *, Reply *)` into the handler on_method that the
 * generated service object wants. The reply's fields may point into the call's arena, the request,
 * or static memory.
 */
#define BUS_HANDLER(Service, method, Request, Reply, REPLY_INIT)                                   \
	static void on_##method(Service *service_object, const Request *request,                   \
		Reply##_Closure closure, void *data)                                               \
	{                                                                                          \
		Reply reply = REPLY_INIT;                                                          \
		(void)service_object;                                                              \
		if (bus_result(data, method(bus_request_call(data), request, &reply)))             \
			closure(&reply, data);                                                     \
	}

/* ---- doorbells ---- */

/* Rings: "there is a new event of this topic". Never blocks, may be lost. */
void bus_ring(struct bus *bus, const char *topic);

/* Adds a function that hears doorbells, in a thread of the bus; it must return at once. */
void bus_on_doorbell(
	struct bus *bus, void (*heard)(void *context, const char *topic), void *context);

/* Takes away the one that was added with this context; it does not run any more then. */
void bus_off_doorbell(struct bus *bus, const void *context);
