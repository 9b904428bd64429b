/*
 * bus_doorbell: "there is a new event": published by every process that makes events, heard by all.
 * A doorbell may be lost: pub0 drops the oldest when a subscriber is slow, and the truth is in
 * PostgreSQL. One thread hears.
 */
#include "lib/bus_internal.h"

#include "lib/log.h"

#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>

#include <string.h>

#define DOORBELL_MAX	1024 /* bytes of one */
#define DOORBELL_BUFFER 4096 /* doorbells; nng's 16 and 128 lose most of a burst */
#define REDIAL_MIN_MS	100
#define REDIAL_MAX_MS	5000

static void hear(struct bus *bus, nng_msg *msg)
{
	AUTO_ARENA arena = arena_create();
	struct span message = bus_bytes(msg);
	uint8_t *plain = arena_alloc(arena, message.len);
	struct seal_header header = { .answers = NULL };
	enum seal_verdict verdict = seal_open(&bus->seal, &header, message, plain);
	Bus__Doorbell *doorbell = NULL;

	if (verdict == SEAL_FINE && header.kind == SEAL_DOORBELL)
		doorbell = (Bus__Doorbell *)envelope_unpack(arena, &bus__doorbell__descriptor,
			(struct span){ plain, message.len - SEAL_OVERHEAD });
	if (doorbell == NULL || !envelope_topic_fine(doorbell->topic)) {
		bus_refused(verdict != SEAL_FINE ? verdict : SEAL_MALFORMED, msg);
		return;
	}
	pthread_mutex_lock(&bus->doorbell_mutex);
	for (size_t i = 0; i < BUS_HEARERS_MAX; i++)
		if (bus->hearers[i].heard != NULL)
			bus->hearers[i].heard(bus->hearers[i].context, doorbell->topic);
	pthread_mutex_unlock(&bus->doorbell_mutex);
}

static void *hear_all(void *arg)
{
	struct bus *bus = arg;
	nng_msg *msg;
	int rv;

	while ((rv = nng_recvmsg(bus->sub, &msg, 0)) != NNG_ECLOSED) {
		if (rv != 0) {
			LOG_THROTTLED(LOG_LEVEL_ERROR, "bus_hear", "error=%s", nng_strerror(rv));
			continue;
		}
		hear(bus, msg);
		nng_msg_free(msg);
	}
	return NULL;
}

err_t doorbells_open(struct bus *bus)
{
	int rv = nng_pub0_open(&bus->pub);

	if (rv == 0)
		rv = nng_sub0_open(&bus->sub);
	if (rv == 0)
		rv = nng_socket_set_int(bus->pub, NNG_OPT_SENDBUF, DOORBELL_BUFFER);
	if (rv == 0)
		rv = nng_socket_set_int(bus->sub, NNG_OPT_RECVBUF, DOORBELL_BUFFER);
	if (rv == 0)
		rv = nng_socket_set_ms(bus->sub, NNG_OPT_RECONNMINT, REDIAL_MIN_MS);
	if (rv == 0)
		rv = nng_socket_set_ms(bus->sub, NNG_OPT_RECONNMAXT, REDIAL_MAX_MS);
	if (rv == 0)
		rv = nng_socket_set(bus->sub, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	if (rv != 0) {
		log_error("bus_doorbells", "error=%s", nng_strerror(rv));
		return ERR_INTERNAL;
	}
	if (bus_socket_limit(bus->sub, DOORBELL_MAX) != OK ||
		bus_socket_limit(bus->pub, DOORBELL_MAX) != OK)
		return ERR_INTERNAL;
	return bus_thread(hear_all, bus);
}

void doorbells_dial(struct bus *bus, struct bus_peer *peer)
{
	int rv;

	if (*peer->at.events_url == '\0')
		return;
	rv = nng_dial(bus->sub, peer->at.events_url, &peer->doorbells, NNG_FLAG_NONBLOCK);
	if (rv != 0)
		log_warn("bus_dial_events", "url=%s error=%s", log_value(peer->at.events_url),
			nng_strerror(rv));
}

void doorbells_hang_up(struct bus_peer *peer)
{
	if (peer->doorbells.id != 0)
		nng_dialer_close(peer->doorbells);
	peer->doorbells.id = 0;
}

void bus_ring(struct bus *bus, const char *topic)
{
	AUTO_ARENA arena = arena_create();
	Bus__Doorbell doorbell = BUS__DOORBELL__INIT;
	struct seal_header header = { .kind = SEAL_DOORBELL };
	nng_msg *msg;

	if (!envelope_topic_fine(topic))
		BUG("topic %s", topic);
	doorbell.topic = (char *)(uintptr_t)topic;
	msg = bus_sealed(bus, &header, envelope_pack(arena, &doorbell.base));
	if (nng_sendmsg(bus->pub, msg, NNG_FLAG_NONBLOCK) != 0)
		nng_msg_free(msg);
}

void bus_on_doorbell(
	struct bus *bus, void (*heard)(void *context, const char *topic), void *context)
{
	size_t i = 0;

	pthread_mutex_lock(&bus->doorbell_mutex);
	while (i < BUS_HEARERS_MAX && bus->hearers[i].heard != NULL)
		i++;
	if (i == BUS_HEARERS_MAX)
		BUG("more than %d hear doorbells", BUS_HEARERS_MAX);
	bus->hearers[i].heard = heard;
	bus->hearers[i].context = context;
	pthread_mutex_unlock(&bus->doorbell_mutex);
}

void bus_off_doorbell(struct bus *bus, const void *context)
{
	pthread_mutex_lock(&bus->doorbell_mutex);
	for (size_t i = 0; i < BUS_HEARERS_MAX; i++)
		if (bus->hearers[i].context == context)
			bus->hearers[i].heard = NULL;
	pthread_mutex_unlock(&bus->doorbell_mutex);
}

void doorbells_close(struct bus *bus)
{
	pthread_mutex_lock(&bus->doorbell_mutex);
	memset(bus->hearers, 0, sizeof(bus->hearers));
	pthread_mutex_unlock(&bus->doorbell_mutex);
}
