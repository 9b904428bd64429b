/*
 * kite_admit: see kite_admit.h. A kite comes twice: first it is given a challenge, then it has
 * signed it. Challenges are digests of what they are for and of the time, under a key of this
 * process, so that nothing is kept of those who never come back.
 */
#include "dataplane/pagekite/kite_admit.h"

#include "dataplane/copy.h"
#include "dataplane/dataplane.h"
#include "dataplane/pagekite/handshake.h"
#include "dataplane/pagekite/kite_link.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/dns.pb-c.h"

#include <sodium.h>

#include <string.h>

#define TIMEOUT_MS	5000
#define WAITING_MAX	256
#define TRIES		3   /* while names change */
#define WINDOW_S	600 /* a challenge is good in its window and the next */
#define CHALLENGE_BYTES 18

#define HEAD                                                                                       \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-PageKite-Protos: https, http\r\n"      \
	"X-PageKite-Ports: 443, 80\r\n"

/* What a front end says of a name that nobody flies, as it is for the one that is pinged. */
#define PONG "HTTP/1.1 503 Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n"

struct verdict {
	err_t err;
	struct box opened; /* if it is OK */
};

struct attempt {
	struct dataplane *dataplane;
	struct stream *stream; /* NULL: it has gone */
	struct handshake handshake;
	struct verdict verdicts[HANDSHAKE_KITES_MAX];
	bool waits; /* for dns */
	unsigned n_tries, n_changes;
	char *answer; /* to who is not let in; NULL: none yet */
};

static unsigned n_changes; /* of names, since the start; the loop's */

void kite_admit_changed(void)
{
	n_changes++;
}

/* ---- challenges ---- */

static void challenge_make(
	const struct handshake_kite *kite, int64_t window, char out[2 * CHALLENGE_BYTES + 1])
{
	static unsigned char key[crypto_generichash_KEYBYTES];
	static bool has_key;
	unsigned char digest[crypto_generichash_BYTES];
	AUTO_FREE char *text = xasprintf(
		"%lld %s:%s:%s", (long long)window, kite->protocol, kite->name, kite->salt);

	if (!has_key)
		randombytes_buf(key, sizeof(key));
	has_key = true;
	crypto_generichash(digest, sizeof(digest), (const unsigned char *)text, strlen(text), key,
		sizeof(key));
	sodium_bin2hex(out, 2 * CHALLENGE_BYTES + 1, digest, CHALLENGE_BYTES);
}

static bool challenge_good(const struct handshake_kite *kite, int64_t window)
{
	char expected[2 * CHALLENGE_BYTES + 1];

	challenge_make(kite, window, expected);
	return strlen(kite->challenge) == strlen(expected) &&
	       sodium_memcmp(kite->challenge, expected, strlen(expected)) == 0;
}

static bool are_challenged(const struct handshake *handshake)
{
	int64_t window = clock_unix_ms() / 1000 / WINDOW_S;

	for (size_t i = 0; i < handshake->n; i++)
		if (!challenge_good(&handshake->kites[i], window) &&
			!challenge_good(&handshake->kites[i], window - 1))
			return false;
	return true;
}

/* ---- answers ---- */

/* Adds a line about the kite to a text of malloc. */
static char *add_line(
	char *text, const char *what, const struct handshake_kite *kite, const char *more)
{
	char *longer = xasprintf(
		"%s%s: %s:%s:%s%s\r\n", text, what, kite->protocol, kite->name, kite->salt, more);

	free(text);
	return longer;
}

static char *end_lines(char *text)
{
	char *whole = xasprintf("%s\r\n", text);

	free(text);
	return whole;
}

/* Says why it is not let in, and ends. */
static void turn_away(struct attempt *attempt, char *lines)
{
	attempt->answer = end_lines(lines);
	stream_wake(attempt->stream);
}

static void challenge(struct attempt *attempt)
{
	const struct handshake *handshake = &attempt->handshake;
	int64_t window = clock_unix_ms() / 1000 / WINDOW_S;
	char *lines = xstrdup(HEAD);

	for (size_t i = 0; i < handshake->n; i++) {
		char more[2 * CHALLENGE_BYTES + 2] = ":";

		challenge_make(&handshake->kites[i], window, more + 1);
		lines = add_line(lines, "X-PageKite-SignThis", &handshake->kites[i], more);
	}
	turn_away(attempt, lines);
}

/* ---- in a thread of the pool ---- */

static err_t check(struct call *call, const struct handshake_kite *kite, struct box *opened)
{
	Dns__Kite request = DNS__KITE__INIT;
	const ProtobufCMessage *reply;
	const Dns__Tunnel *tunnel;
	err_t err;

	request.protocol = (char *)(uintptr_t)kite->protocol;
	request.name = (char *)(uintptr_t)kite->name;
	request.salt = (char *)(uintptr_t)kite->salt;
	request.challenge = (char *)(uintptr_t)kite->challenge;
	request.signature = (char *)(uintptr_t)kite->signature;
	err = bus_call(call, &dns__dns__descriptor, "CheckKite", &request.base, &reply);
	if (err != OK && err != ERR_NOT_FOUND)
		LOG_THROTTLED(LOG_LEVEL_WARN, "kite_not_admitted", "name=%s error=%s detail=%s",
			log_value(kite->name), err_name(err), log_value(call->fault.detail));
	if (err != OK)
		return err;
	tunnel = (const Dns__Tunnel *)reply;
	COPY(opened->registration, tunnel->registration);
	COPY(opened->tenant, tunnel->tenant);
	COPY(opened->device, tunnel->device);
	COPY(opened->name, tunnel->name);
	return OK;
}

static void ask(void *arg)
{
	struct attempt *attempt = arg;
	struct call call;

	call_init(&call, attempt->dataplane->bus, DATAPLANE_ACTOR, TIMEOUT_MS);
	call.tenant = CALL_FLEET;
	for (size_t i = 0; i < attempt->handshake.n; i++)
		attempt->verdicts[i].err =
			check(&call, &attempt->handshake.kites[i], &attempt->verdicts[i].opened);
	call_finish(&call);
}

/* ---- on the loop ---- */

static bool is_http(const struct handshake_kite *kite)
{
	return strcmp(kite->protocol, "http") == 0;
}

/* The name of a kite that was let in, once for all of its protocols. */
static size_t add_flight(struct kite_flight flights[], size_t n, const struct handshake_kite *kite,
	const struct box *opened)
{
	size_t i = 0;

	while (i < n && strcmp(flights[i].opened.name, opened->name) != 0)
		i++;
	if (i == n) {
		flights[n++] = (struct kite_flight){ .opened = *opened };
		flights[i].opened.admitted_s = clock_unix_ms() / 1000;
	}
	flights[i].http = flights[i].http || is_http(kite);
	flights[i].https = flights[i].https || !is_http(kite);
	return n;
}

static void forget(struct attempt *attempt)
{
	free(attempt->answer);
	sodium_memzero(attempt, sizeof(*attempt));
	free(attempt);
}

/* One that dns could not be asked about is not let in: the whole kite comes again. */
static void judge(struct attempt *attempt)
{
	struct kite_flight flights[HANDSHAKE_KITES_MAX];
	char *lines = xstrdup(HEAD);
	size_t n = 0;

	for (size_t i = 0; i < attempt->handshake.n; i++) {
		const struct handshake_kite *kite = &attempt->handshake.kites[i];
		const struct verdict *verdict = &attempt->verdicts[i];

		if (verdict->err == OK) {
			n = add_flight(flights, n, kite, &verdict->opened);
			lines = add_line(lines, "X-PageKite-OK", kite, "");
			continue;
		}
		lines = add_line(lines, "X-PageKite-Invalid", kite, "");
		lines = add_line(lines, "X-PageKite-Invalid-Why", kite,
			verdict->err == ERR_NOT_FOUND ? ";signature" : ";unavailable");
	}
	if (n == 0) {
		turn_away(attempt, lines);
		return;
	}
	stream_hold(attempt->stream, false);
	kite_link_create(attempt->dataplane->boxes, attempt->stream, end_lines(lines), flights, n);
	forget(attempt);
}

static void on_asked(void *arg);

static void begin(struct attempt *attempt)
{
	attempt->n_tries++;
	attempt->n_changes = n_changes;
	attempt->waits = true;
	attempt->dataplane->n_waiting++;
	loop_work(attempt->dataplane->loop, ask, on_asked, attempt);
}

static void on_asked(void *arg)
{
	struct attempt *attempt = arg;

	attempt->waits = false;
	attempt->dataplane->n_waiting--;
	/* A change that came while the answer was on its way may be about one of these names. */
	if (!attempt->stream)
		forget(attempt);
	else if (attempt->n_changes == n_changes)
		judge(attempt);
	else if (attempt->n_tries < TRIES)
		begin(attempt);
	else
		stream_close(attempt->stream);
}

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct attempt *attempt = stream_owner(stream);
	size_t taken = 0;

	if (attempt->answer)
		return bytes->len;
	if (attempt->waits)
		return 0;
	switch (handshake_read(&attempt->handshake, bytes->data, bytes->len, &taken)) {
	case HANDSHAKE_MORE:
		return 0;
	case HANDSHAKE_WHOLE:
		stream_hold(stream, true);
		if (!are_challenged(&attempt->handshake))
			challenge(attempt);
		else if (attempt->dataplane->n_waiting < WAITING_MAX)
			begin(attempt);
		else
			stream_close(stream);
		return taken;
	case HANDSHAKE_PING:
		stream_hold(stream, true);
		turn_away(attempt, xstrdup(PONG));
		return taken;
	default:
		stream_close(stream);
		return 0;
	}
}

static void on_fill(struct stream *stream)
{
	struct attempt *attempt = stream_owner(stream);

	if (attempt->answer &&
		stream_write(
			stream, &(struct iovec){ attempt->answer, strlen(attempt->answer) }, 1)) {
		stream_flush(stream);
		stream_hold(stream, false); /* to hear that it has gone */
		stream_finish(stream);
	}
}

static void on_closed(struct stream *stream)
{
	struct attempt *attempt = stream_owner(stream);

	attempt->stream = NULL;
	if (!attempt->waits)
		forget(attempt);
}

static const struct stream_face face = {
	.received = on_received,
	.fill = on_fill,
	.closed = on_closed,
};

void kite_admit(struct dataplane *dataplane, struct stream *stream)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));

	attempt->dataplane = dataplane;
	attempt->stream = stream;
	stream_set_timer(stream, STREAM_OPENING_MS);
	stream_set_face(stream, &face, attempt);
}
