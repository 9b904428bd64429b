/*
 * bus: opening and closing, and what the files of lib/bus share. bus_open and bus_close are called
 * by lib/svc in the main thread; the rest in any thread of the bus or its callers.
 */
#include "lib/bus_internal.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/own_address.h"

#include <nng/protocol/reqrep0/rep.h>

#include <stdio.h>
#include <string.h>

struct metric bus_call_seconds = {
	.name = "lanyard_bus_call_seconds",
	.help = "Time of bus calls as their caller sees it.",
	.type = METRIC_HISTOGRAM,
};
struct metric bus_failovers = {
	.name = "lanyard_bus_failovers_total",
	.help = "Requests that another instance was asked again.",
	.type = METRIC_COUNTER,
};
struct metric bus_served = {
	.name = "lanyard_bus_served_total",
	.help = "Requests answered.",
	.type = METRIC_COUNTER,
};

#define REFUSED(verdict, cause)                                                                    \
	[verdict] = { .name = "lanyard_bus_refused_total",                                         \
		.help = "Messages that were not accepted.",                                        \
		.labels = "cause=\"" cause "\"",                                                   \
		.type = METRIC_COUNTER }

static struct metric refused[SEAL_N_VERDICTS] = {
	REFUSED(SEAL_MALFORMED, "malformed"),
	REFUSED(SEAL_FORGED, "forged"),
	REFUSED(SEAL_STALE, "stale"),
	REFUSED(SEAL_REPLAYED, "replayed"),
	REFUSED(SEAL_FULL, "full"),
	REFUSED(SEAL_MISDIRECTED, "misdirected"),
};

static void register_metrics(void)
{
	metric_register(&bus_call_seconds);
	metric_register(&bus_failovers);
	metric_register(&bus_served);
	for (size_t i = SEAL_FINE + 1; i < SEAL_N_VERDICTS; i++)
		metric_register(&refused[i]);
}

void bus_refused(enum seal_verdict verdict, nng_msg *from)
{
	static long long last_s[SEAL_N_VERDICTS];
	char *peer = NULL;

	metric_add(&refused[verdict], 1);
	if (!log_admit(&last_s[verdict]))
		return;
	if (from != NULL)
		nng_pipe_get_string(nng_msg_get_pipe(from), NNG_OPT_REMADDR, &peer);
	log_warn("bus_message_refused", "cause=%s from=%s", seal_verdict_name(verdict),
		log_value(peer != NULL ? peer : ""));
	nng_strfree(peer);
}

struct span bus_bytes(nng_msg *msg)
{
	return (struct span){ nng_msg_body(msg), nng_msg_len(msg) };
}

nng_msg *bus_sealed(struct bus *bus, struct seal_header *header, struct span plain)
{
	nng_msg *msg;

	if (nng_msg_alloc(&msg, plain.len + SEAL_OVERHEAD) != 0)
		BUG("out of memory");
	seal_close(&bus->seal, header, plain, nng_msg_body(msg));
	return msg;
}

err_t bus_socket_limit(nng_socket socket, size_t message_max)
{
	int rv = nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, message_max);

	if (rv == 0)
		rv = nng_socket_set_bool(socket, NNG_OPT_TCP_KEEPALIVE, true);
	if (rv == 0)
		return OK;
	log_error("bus_socket", "error=%s", nng_strerror(rv));
	return ERR_INTERNAL;
}

err_t bus_thread(void *(*run)(void *arg), void *arg)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run, arg);

	if (error == 0) {
		pthread_detach(thread);
		return OK;
	}
	LOG_THROTTLED(LOG_LEVEL_ERROR, "bus_thread", "error=%s", strerror(error));
	return ERR_RESOURCE_EXHAUSTED;
}

void bus_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	if (pthread_condattr_init(&attributes) != 0 ||
		pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
		pthread_cond_init(cond, &attributes) != 0)
		BUG("pthread_cond_init");
	pthread_condattr_destroy(&attributes);
}

bool bus_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ms)
{
	struct timespec until = { deadline_ms / 1000, (deadline_ms % 1000) * 1000000 };

	return pthread_cond_timedwait(cond, mutex, &until) == 0;
}

/* ---- opening ---- */

/* Where a process listens: "tcp://HOST:PORT" in its two parts. */
struct address {
	char host[BUS_URL_LEN - 16]; /* an IPv6 address in brackets */
	int port;
};

static err_t address_parse(struct address *address, const char *listen)
{
	const char *host = listen + strlen("tcp://");
	const char *colon = strrchr(listen, ':');
	char *end = NULL;
	long port;

	if (strncmp(listen, "tcp://", strlen("tcp://")) != 0 || colon <= host ||
		(size_t)(colon - host) >= sizeof(address->host))
		return ERR_INVALID_ARGUMENT;
	port = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || *end != '\0' || port < 0 || port > 65535)
		return ERR_INVALID_ARGUMENT;
	snprintf(address->host, sizeof(address->host), "%.*s", (int)(colon - host), host);
	address->port = (int)port;
	return OK;
}

/* Listens there and writes where others reach it into `url`. */
static err_t listen_at(nng_socket socket, const struct address *address, const char *advertise,
	char url[BUS_URL_LEN])
{
	char listen[BUS_URL_LEN];
	nng_listener listener;
	int port;
	int rv;

	snprintf(listen, sizeof(listen), "tcp://%s:%d", address->host, address->port);
	rv = nng_listen(socket, listen, &listener, 0);
	if (rv == 0)
		rv = nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port);
	if (rv != 0) {
		log_error("bus_listen", "url=%s error=%s", log_value(listen), nng_strerror(rv));
		return ERR_UNAVAILABLE;
	}
	if (snprintf(url, BUS_URL_LEN, "tcp://%s:%d", advertise, port) < BUS_URL_LEN)
		return OK;
	log_error("bus_advertise", "host=%s expected=%s", log_value(advertise), "a shorter name");
	return ERR_INVALID_ARGUMENT;
}

static bool is_wildcard(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0 || strcmp(host, "*") == 0;
}

/* Where to listen and, as `advertise`, what others dial; both checked. */
static err_t read_address(
	const struct bus_options *options, struct address *address, char advertise[BUS_URL_LEN])
{
	bool is_told = options->advertise != NULL && *options->advertise != '\0';

	if (address_parse(address, options->listen) != OK) {
		log_error("bus_listen", "url=%s expected=tcp://ADDRESS:PORT",
			log_value(options->listen));
		return ERR_INVALID_ARGUMENT;
	}
	snprintf(advertise, BUS_URL_LEN, "%s", is_told ? options->advertise : address->host);
	if (!is_wildcard(advertise) || (!is_told && own_address(advertise, BUS_URL_LEN) == OK))
		return OK;
	log_error("bus_advertise", "host=%s expected=%s", advertise,
		"\"the name or address that other processes dial\"");
	return ERR_INVALID_ARGUMENT;
}

static err_t open_sockets(struct bus *bus, struct address *address, const char *advertise)
{
	int rv = nng_rep0_open(&bus->rep);
	err_t err;

	if (rv != 0) {
		log_error("bus_socket", "error=%s", nng_strerror(rv));
		return ERR_INTERNAL;
	}
	err = bus_socket_limit(bus->rep, BUS_WIRE_MAX);
	if (err == OK)
		err = doorbells_open(bus);
	if (err == OK)
		err = listen_at(bus->rep, address, advertise, bus->url);
	if (address->port != 0)
		address->port++;
	if (err == OK)
		err = listen_at(bus->pub, address, advertise, bus->events_url);
	return err;
}

/* A bus without sockets, its keys read. */
static err_t bus_create(struct bus **out, const struct bus_options *options)
{
	struct bus *bus = xcalloc(1, sizeof(*bus));
	err_t err = seal_init(&bus->seal, options->fleet_key_file, options->instance);

	if (err != OK) {
		free(bus);
		return err;
	}
	bus->instance = options->instance;
	if (pthread_mutex_init(&bus->mutex, NULL) != 0 ||
		pthread_mutex_init(&bus->work_mutex, NULL) != 0 ||
		pthread_mutex_init(&bus->doorbell_mutex, NULL) != 0)
		BUG("pthread_mutex_init");
	bus_cond_init(&bus->came);
	bus_cond_init(&bus->work_changed);
	*out = bus;
	return OK;
}

/* After an error with a socket the bus stays as it is: its threads have it, and the process ends.
 */
err_t bus_open(struct bus **out, const struct bus_options *options)
{
	struct address address;
	char advertise[BUS_URL_LEN];
	struct bus *bus;
	err_t err = read_address(options, &address, advertise);

	if (err == OK)
		err = bus_create(&bus, options);
	if (err != OK)
		return err;
	register_metrics();
	err = open_sockets(bus, &address, advertise);
	if (err == OK)
		err = canary_start();
	if (err == OK)
		*out = bus;
	return err;
}

bool bus_close(struct bus *bus, int64_t drain_ms)
{
	bool stopped;

	if (bus == NULL)
		return true;
	stopped = workers_stop(bus, clock_ms() + drain_ms);
	doorbells_close(bus);
	return stopped;
}

const char *bus_url(const struct bus *bus)
{
	return bus->url;
}

const char *bus_events_url(const struct bus *bus)
{
	return bus->events_url;
}

const char *bus_self(const struct bus *bus)
{
	return bus->instance;
}
