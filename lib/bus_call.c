/*
 * bus_call: the calling side: one request to one instance, or to all at once. Runs in the caller's
 * thread.
 *
 * A request that surely did not run (no connection, turned away, a method that an older version
 * does not have) goes to the next instance. One that may have run (the instance hung up) goes on
 * only if running it twice does no harm: it has an idempotency key, or its method is a Get, a List
 * or the like. When nobody is left, lib/bus_missing says whether to wait for somebody.
 */
#include "lib/bus_internal.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <string.h>

#define TRIES_MAX 8 /* instances that one call asks, each once before any is asked again */
#define LOST_MAX  3 /* that hang up: a request that they die of must not end all of them */

/* Beginnings of methods that change nothing, or nothing more when they run twice. */
static const char *const repeatable[] = { "Get", "List", "Find", "Identify", "Introspect",
	"Authenticate", "SignToken", "CheckAccess", "CheckKeypair", "CheckKite", "HoldHomes",
	"HandOverHomes" };

/* The same for every instance that a call asks. */
struct question {
	struct call *call;
	const ProtobufCServiceDescriptor *service;
	const ProtobufCMethodDescriptor *method;
	struct span body;
};

enum outcome {
	SENT,
	NOT_RUN,  /* surely */
	TOO_OLD,  /* answered, by an instance that does not have the method */
	UNKNOWN,  /* it hung up, or its answer can't be trusted */
	TOO_LATE, /* asked, and the deadline has passed */
	ANSWERED,
};

/* One instance being asked. */
struct exchange {
	const struct question *question;
	struct bus_peer *peer;
	struct bus_conn *conn;
	struct seal_header request;
	Bus__Reply *reply; /* in the call's arena, once ANSWERED */
};

static err_t question_make(struct question *question, struct call *call,
	const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request)
{
	*question = (struct question){
		.call = call,
		.service = service,
		.method = protobuf_c_service_descriptor_get_method_by_name(service, method),
	};
	if (question->method == NULL)
		BUG("no method %s in %s", method, service->name);
	if (request->descriptor != question->method->input)
		BUG("%s/%s takes %s, not %s", service->name, method, question->method->input->name,
			request->descriptor->name);
	question->body = envelope_pack(call->arena, request);
	if (question->body.len > BUS_BODY_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, NULL,
			"expected a request of at most %d bytes", BUS_BODY_MAX);
	return envelope_check(call);
}

/* May it run twice? */
static bool harmless(const struct question *question)
{
	const char *name = question->method->name;
	bool found = *question->call->idempotency_key != '\0';

	for (size_t i = 0; !found && i < ARRAY_LEN(repeatable); i++)
		found = strncmp(name, repeatable[i], strlen(repeatable[i])) == 0;
	return found;
}

static nng_duration left_ms(const struct call *call)
{
	int64_t left = call_left_ms(call);

	return left < INT32_MAX ? (nng_duration)left : INT32_MAX;
}

static struct span request_pack(const struct question *question)
{
	struct call *call = question->call;
	Bus__Request request = BUS__REQUEST__INIT;

	request.method =
		arena_printf(call->arena, "%s/%s", question->service->name, question->method->name);
	request.trace = (char *)(uintptr_t)call->trace;
	request.idempotency_key = (char *)(uintptr_t)call->idempotency_key;
	request.tenant = (char *)(uintptr_t)call->tenant;
	request.actor = (char *)(uintptr_t)call->actor;
	request.scopes = call->scopes;
	request.n_scopes = call->n_scopes;
	request.source = (char *)(uintptr_t)call->source;
	request.timeout_ms = (uint32_t)left_ms(call);
	request.body = (ProtobufCBinaryData){ question->body.len,
		(uint8_t *)(uintptr_t)question->body.bytes };
	return envelope_pack(call->arena, &request.base);
}

/* Ends an exchange without an answer: its socket is closed, its instance rests. */
static enum outcome exchange_fail(struct exchange *exchange, enum outcome outcome, const char *why)
{
	if (exchange->conn != NULL)
		conn_close(exchange->conn);
	exchange->conn = NULL;
	peer_failed(exchange->peer);
	LOG_THROTTLED(LOG_LEVEL_WARN, "instance_failed", "service=%s instance=%s trace=%s why=%s",
		exchange->peer->at.service, exchange->peer->at.instance,
		exchange->question->call->trace, log_value(why));
	return outcome;
}

static void exchange_start(
	struct exchange *exchange, const struct question *question, struct bus_peer *peer)
{
	*exchange = (struct exchange){ .question = question, .peer = peer };
	exchange->conn = conn_start(peer, question->call->deadline_ms);
}

/* Hands the sealed request to the connection. */
static enum outcome exchange_send(struct exchange *exchange)
{
	struct call *call = exchange->question->call;
	struct bus *bus = exchange->peer->bus;
	nng_msg *msg;
	int rv;

	if (exchange->conn != NULL && !conn_wait(exchange->conn, call->deadline_ms))
		exchange->conn = NULL;
	if (exchange->conn == NULL)
		return exchange_fail(exchange, NOT_RUN, "no connection");

	exchange->request.kind = SEAL_REQUEST;
	memcpy(exchange->request.recipient, exchange->peer->uuid, SEAL_UUID_LEN);
	msg = bus_sealed(bus, &exchange->request, request_pack(exchange->question));
	/* With a connection there is nothing to wait for: it takes the request at once, or is gone.
	 */
	nng_socket_set_ms(exchange->conn->socket, NNG_OPT_SENDTIMEO, BUS_CONNECT_LIMIT_MS);
	rv = nng_sendmsg(exchange->conn->socket, msg, 0);
	if (rv == 0)
		return SENT;
	nng_msg_free(msg);
	return exchange_fail(exchange, NOT_RUN, nng_strerror(rv));
}

/* Opens what came back. */
static enum outcome reply_open(struct exchange *exchange, struct span message)
{
	struct arena *arena = exchange->question->call->arena;
	struct seal_header header = { .answers = exchange->request.nonce };
	uint8_t *plain = arena_alloc(arena, message.len);
	enum seal_verdict verdict = seal_open(&exchange->peer->bus->seal, &header, message, plain);
	struct span text = { plain, message.len - SEAL_OVERHEAD };

	if (verdict != SEAL_FINE) {
		bus_refused(verdict, NULL);
		return UNKNOWN;
	}
	if (header.kind == SEAL_TURNED_AWAY) {
		peer_ended(exchange->peer);
		return NOT_RUN;
	}
	if (header.kind != SEAL_REPLY ||
		memcmp(header.sender, exchange->peer->uuid, SEAL_UUID_LEN) != 0)
		return UNKNOWN;
	exchange->reply = (Bus__Reply *)envelope_unpack(arena, &bus__reply__descriptor, text);
	return exchange->reply != NULL ? ANSWERED : UNKNOWN;
}

static enum outcome exchange_receive(struct exchange *exchange)
{
	struct call *call = exchange->question->call;
	nng_duration left = left_ms(call);
	enum outcome outcome;
	nng_msg *msg;
	int rv;

	/* 0 would ask nng for an answer now; one that has come by the deadline still counts. */
	nng_socket_set_ms(exchange->conn->socket, NNG_OPT_RECVTIMEO, left > 0 ? left : 1);
	rv = nng_recvmsg(exchange->conn->socket, &msg, 0);
	if (rv != 0)
		return exchange_fail(
			exchange, rv == NNG_ETIMEDOUT ? TOO_LATE : UNKNOWN, nng_strerror(rv));
	outcome = reply_open(exchange, bus_bytes(msg));
	nng_msg_free(msg);
	if (outcome != ANSWERED)
		return exchange_fail(exchange, outcome, "turned away or untrusted");
	conn_give(exchange->conn);
	return ANSWERED;
}

/* Turns an answer into the call's result. */
static err_t reply_take(
	const struct question *question, const Bus__Reply *answer, const ProtobufCMessage **reply)
{
	struct call *call = question->call;
	struct span body = { answer->body.data, answer->body.len };
	const ProtobufCMessage *message;

	if (answer->status != OK)
		return call_refuse(call,
			answer->status <= ERR_LAST ? (err_t)answer->status : ERR_UNKNOWN,
			answer->field, "%s", answer->detail);
	message = envelope_unpack(call->arena, question->method->output, body);
	if (message == NULL) {
		log_error("bad_reply", "method=%s/%s trace=%s", question->service->name,
			question->method->name, call->trace);
		return call_refuse(call, ERR_INTERNAL, NULL, "%s gave an answer that can't be read",
			question->service->package);
	}
	*reply = message;
	return OK;
}

static err_t refuse_outcome(const struct question *question, enum outcome outcome)
{
	const char *name = question->service->package;

	if (outcome == TOO_LATE)
		return call_refuse(question->call, ERR_DEADLINE_EXCEEDED, NULL,
			"%s did not answer in time%s", name,
			*question->call->idempotency_key != '\0' ? "; the change may have been made"
								 : "");
	if (outcome == UNKNOWN)
		return call_refuse(question->call, ERR_UNAVAILABLE, NULL,
			"%s was lost before it answered; the change may have been made", name);
	return call_refuse(question->call, ERR_UNAVAILABLE, NULL, "%s can't be reached", name);
}

static err_t result_take(const struct question *question, enum outcome outcome,
	const Bus__Reply *answer, const ProtobufCMessage **reply)
{
	if (outcome == ANSWERED || outcome == TOO_OLD)
		return reply_take(question, answer, reply);
	return refuse_outcome(question, outcome);
}

static enum outcome ask(const struct question *question, struct bus_peer *peer, Bus__Reply **answer)
{
	struct exchange exchange;
	enum outcome outcome;

	exchange_start(&exchange, question, peer);
	outcome = exchange_send(&exchange);
	if (outcome == SENT)
		outcome = exchange_receive(&exchange);
	if (outcome != ANSWERED)
		return outcome;
	*answer = exchange.reply;
	return exchange.reply->status == ERR_UNIMPLEMENTED &&
			       strcmp(exchange.reply->field, "method") == 0
		       ? TOO_OLD
		       : ANSWERED;
}

/* What is known of a call after some tries. */
struct search {
	const struct question *question;
	enum outcome outcome; /* the greatest one */
	Bus__Reply *answer;   /* the last one */
	int n_lost;
};

/* May another instance be asked? */
static bool may_go_on(const struct search *search)
{
	if (call_left_ms(search->question->call) == 0)
		return false;
	return search->outcome == NOT_RUN || search->outcome == TOO_OLD ||
	       (search->outcome == UNKNOWN && harmless(search->question) &&
		       search->n_lost < LOST_MAX);
}

/* Asks one instance after the other until one answers. */
static void ask_round(struct search *search)
{
	const struct question *question = search->question;
	struct bus_peer *tried[TRIES_MAX];
	size_t n = 0;

	while (n < TRIES_MAX && may_go_on(search) &&
		(tried[n] = peer_next(question->call->bus, question->service->package, tried, n)) !=
			NULL) {
		enum outcome outcome = ask(question, tried[n], &search->answer);

		metric_add(&bus_failovers, n++ > 0);
		search->n_lost += outcome == UNKNOWN;
		if (outcome > search->outcome)
			search->outcome = outcome;
	}
	while (n > 0)
		peer_release(tried[--n]);
}

static void ask_any(struct search *search)
{
	const struct call *call = search->question->call;
	const char *service = search->question->service->package;

	do
		ask_round(search);
	while (search->outcome != TOO_OLD && may_go_on(search) &&
		missing_wait(call->bus, service, call->deadline_ms));
	if (search->outcome == ANSWERED)
		missing_found(call->bus, service);
}

err_t bus_call(struct call *call, const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply)
{
	struct question question;
	struct search search = { .question = &question, .outcome = NOT_RUN };
	int64_t began = clock_ms();
	err_t err = question_make(&question, call, service, method, request);

	if (err != OK)
		return err;
	if (call_left_ms(call) > 0)
		ask_any(&search);
	else
		search.outcome = TOO_LATE;
	metric_observe_ms(&bus_call_seconds, (double)(clock_ms() - began));
	return result_take(&question, search.outcome, search.answer, reply);
}

err_t bus_call_at(struct call *call, const char *instance,
	const ProtobufCServiceDescriptor *service, const char *method,
	const ProtobufCMessage *request, const ProtobufCMessage **reply)
{
	struct question question;
	struct bus_peer **peers;
	enum outcome outcome = NOT_RUN;
	Bus__Reply *answer = NULL;
	size_t n;
	err_t err = question_make(&question, call, service, method, request);

	if (err != OK)
		return err;
	peers = peers_of(call->bus, service->package, call->arena, &n);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(peers[i]->at.instance, instance) == 0)
			outcome = ask(&question, peers[i], &answer);
		peer_release(peers[i]);
	}
	return result_take(&question, outcome, answer, reply);
}

err_t bus_call_each(struct call *call, const ProtobufCServiceDescriptor *service,
	const char *method, const ProtobufCMessage *request, struct bus_answer **answers, size_t *n)
{
	struct question question;
	struct bus_peer **peers;
	struct exchange *exchanges;
	enum outcome *outcomes;
	err_t err = question_make(&question, call, service, method, request);

	if (err != OK)
		return err;
	peers = peers_of(call->bus, service->package, call->arena, n);
	exchanges = arena_alloc(call->arena, *n * sizeof(*exchanges));
	outcomes = arena_alloc(call->arena, *n * sizeof(*outcomes));
	*answers = arena_alloc(call->arena, *n * sizeof(**answers));

	for (size_t i = 0; i < *n; i++)
		exchange_start(&exchanges[i], &question, peers[i]);
	for (size_t i = 0; i < *n; i++)
		outcomes[i] = exchange_send(&exchanges[i]);
	for (size_t i = 0; i < *n; i++) {
		struct bus_answer *answer = &(*answers)[i];

		if (outcomes[i] == SENT)
			outcomes[i] = exchange_receive(&exchanges[i]);
		answer->err = outcomes[i] == ANSWERED
				      ? reply_take(&question, exchanges[i].reply, &answer->reply)
				      : refuse_outcome(&question, outcomes[i]);
		memcpy(answer->instance, peers[i]->at.instance, sizeof(answer->instance));
		peer_release(peers[i]);
	}
	return OK;
}
