/*
 * bus_server: the serving side: one rep0 socket, and worker threads with an nng context each. A
 * worker takes a message, opens the seal, checks the envelope, runs the handler and seals the
 * answer.
 *
 * What does not open is dropped without an answer: nng gives the next message to the same context.
 * A genuine request that this process will not run (it is stopping, or the request is meant for an
 * earlier process at this address) is turned away, so that its caller asks another at once.
 */
#include "lib/bus_internal.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <string.h>

#define TIMEOUT_MAX_MS (5 * 60 * 1000)
#define STOP_GRACE_MS  500

/* ---- one request ---- */

static err_t find_method(const struct bus_server *server, struct bus_request *request)
{
	const char *slash = strchr(request->method, '/');
	size_t len = slash != NULL ? (size_t)(slash - request->method) : 0;

	for (size_t i = 0; slash != NULL && server->services[i] != NULL; i++) {
		ProtobufCService *service = server->services[i];
		const ProtobufCServiceDescriptor *descriptor = service->descriptor;
		const ProtobufCMethodDescriptor *method;

		if (strlen(descriptor->name) != len ||
			memcmp(descriptor->name, request->method, len) != 0)
			continue;
		method = protobuf_c_service_descriptor_get_method_by_name(descriptor, slash + 1);
		if (method == NULL)
			continue;
		request->service = service;
		request->method_index = (unsigned)(method - descriptor->methods);
		return OK;
	}
	return call_refuse(request->call, ERR_UNIMPLEMENTED, "method", "this version has no %s",
		request->method);
}

err_t bus_run(struct bus_request *request)
{
	const ProtobufCMethodDescriptor *method =
		&request->service->descriptor->methods[request->method_index];
	struct span body = { request->body, request->body_len };
	ProtobufCMessage *message = envelope_unpack(request->call->arena, method->input, body);

	request->reply = NULL;
	request->reply_len = 0;
	request->call->fault = (struct fault){ .field = "" };
	if (message == NULL)
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "body",
			"expected a packed %s", method->input->name);
	request->err = ERR_INTERNAL; /* unless the handler says otherwise */
	request->service->invoke(
		request->service, request->method_index, message, bus_reply, request);
	return request->err;
}

struct call *bus_request_call(void *closure_data)
{
	struct bus_request *request = closure_data;

	return request->call;
}

bool bus_result(void *closure_data, err_t err)
{
	struct bus_request *request = closure_data;

	request->err = err;
	return err == OK;
}

void bus_reply(const ProtobufCMessage *reply, void *closure_data)
{
	struct bus_request *request = closure_data;
	struct span packed = envelope_pack(request->call->arena, reply);

	if (packed.len > BUS_BODY_MAX) {
		log_error("reply_too_large", "method=%s bytes=%zu trace=%s", request->method,
			packed.len, request->call->trace);
		request->err = call_refuse(request->call, ERR_OUT_OF_RANGE, NULL,
			"the answer is too large: ask for less");
		return;
	}
	request->reply = (uint8_t *)(uintptr_t)packed.bytes;
	request->reply_len = packed.len;
}

static err_t run(const struct bus_server *server, void *worker_state, struct call *call,
	struct span envelope, struct bus_request *request)
{
	Bus__Request *opened =
		(Bus__Request *)envelope_unpack(call->arena, &bus__request__descriptor, envelope);
	err_t err;

	*request = (struct bus_request){ .call = call };
	if (opened == NULL)
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, NULL, "expected a packed bus.Request");
	call->deadline_ms = clock_ms() + (opened->timeout_ms < TIMEOUT_MAX_MS ? opened->timeout_ms
									      : TIMEOUT_MAX_MS);
	err = envelope_open(call, opened);
	if (err != OK)
		return err;
	request->method = opened->method;
	request->body = opened->body.data;
	request->body_len = opened->body.len;
	err = find_method(server, request);
	if (err != OK)
		return err;
	return server->around != NULL ? server->around(worker_state, request) : bus_run(request);
}

struct span server_answer(const struct bus_server *server, void *worker_state, struct call *call,
	struct span envelope)
{
	struct bus_request request;
	Bus__Reply reply = BUS__REPLY__INIT;
	err_t err = run(server, worker_state, call, envelope, &request);

	metric_add(&bus_served, 1);
	reply.status = (uint32_t)err;
	if (err == OK) {
		reply.body = (ProtobufCBinaryData){ request.reply_len, request.reply };
	} else {
		reply.field = call->fault.field;
		reply.detail = call->fault.detail;
	}
	return envelope_pack(call->arena, &reply.base);
}

/* ---- a worker ---- */

/* May this request run? If so it counts as busy until work_end. */
static bool work_begin(struct bus *bus)
{
	bool taken;

	pthread_mutex_lock(&bus->work_mutex);
	taken = !bus->draining;
	bus->n_busy += taken;
	pthread_mutex_unlock(&bus->work_mutex);
	return taken;
}

static void work_end(struct bus *bus)
{
	pthread_mutex_lock(&bus->work_mutex);
	bus->n_busy--;
	pthread_cond_broadcast(&bus->work_changed);
	pthread_mutex_unlock(&bus->work_mutex);
}

static void send_reply(struct bus_worker *worker, const struct seal_header *request,
	enum seal_kind kind, struct span plain)
{
	struct seal_header header = { .kind = kind, .answers = request->nonce };
	nng_msg *msg;

	memcpy(header.recipient, request->sender, SEAL_UUID_LEN);
	msg = bus_sealed(worker->bus, &header, plain);
	nng_aio_set_msg(worker->aio, msg);
	nng_ctx_send(worker->ctx, worker->aio);
	nng_aio_wait(worker->aio);
	if (nng_aio_result(worker->aio) != 0)
		nng_msg_free(msg);
}

static void serve(struct bus_worker *worker, void *state, nng_msg *msg)
{
	struct bus *bus = worker->bus;
	AUTO_ARENA arena = arena_create();
	struct call call = { .arena = arena, .bus = bus };
	struct span message = bus_bytes(msg);
	uint8_t *plain = arena_alloc(arena, message.len);
	struct seal_header header = { .answers = NULL };
	enum seal_verdict verdict = seal_open(&bus->seal, &header, message, plain);

	if (verdict == SEAL_FINE && header.kind != SEAL_REQUEST)
		verdict = SEAL_MALFORMED;
	if (verdict != SEAL_FINE)
		bus_refused(verdict, msg);
	if (verdict == SEAL_FINE && work_begin(bus)) {
		struct span envelope = { plain, message.len - SEAL_OVERHEAD };

		send_reply(worker, &header, SEAL_REPLY,
			server_answer(&bus->server, state, &call, envelope));
		work_end(bus);
	} else if (verdict == SEAL_FINE || verdict == SEAL_MISDIRECTED) {
		send_reply(worker, &header, SEAL_TURNED_AWAY, (struct span){ NULL, 0 });
	}
}

/* The next message; NULL when the worker is to end. */
static nng_msg *receive(struct bus_worker *worker)
{
	int rv;

	do {
		nng_ctx_recv(worker->ctx, worker->aio);
		nng_aio_wait(worker->aio);
		rv = nng_aio_result(worker->aio);
		if (rv != 0 && rv != NNG_ECLOSED)
			LOG_THROTTLED(LOG_LEVEL_ERROR, "bus_receive", "error=%s", nng_strerror(rv));
	} while (rv != 0 && rv != NNG_ECLOSED);
	return rv == 0 ? nng_aio_get_msg(worker->aio) : NULL;
}

static void *work(void *arg)
{
	struct bus_worker *worker = arg;
	struct bus *bus = worker->bus;
	const struct bus_server *server = &bus->server;
	void *state = server->worker_open != NULL ? server->worker_open(server->context) : NULL;
	nng_msg *msg;

	while ((msg = receive(worker)) != NULL) {
		serve(worker, state, msg);
		nng_msg_free(msg);
	}
	if (server->worker_close != NULL)
		server->worker_close(state);
	pthread_mutex_lock(&bus->work_mutex);
	bus->n_workers--;
	pthread_cond_broadcast(&bus->work_changed);
	pthread_mutex_unlock(&bus->work_mutex);
	return NULL;
}

static err_t worker_start(struct bus *bus, struct bus_worker *worker)
{
	int rv = nng_aio_alloc(&worker->aio, NULL, NULL);

	worker->bus = bus;
	if (rv == 0)
		rv = nng_ctx_open(&worker->ctx, bus->rep);
	if (rv != 0) {
		log_error("bus_worker", "error=%s", nng_strerror(rv));
		return ERR_INTERNAL;
	}
	pthread_mutex_lock(&bus->work_mutex);
	bus->n_workers++;
	pthread_mutex_unlock(&bus->work_mutex);
	return bus_thread(work, worker);
}

err_t bus_serve(struct bus *bus, const struct bus_server *server)
{
	if (bus->workers != NULL || server->workers < 1)
		BUG("bus_serve");
	bus->server = *server;
	bus->workers = xcalloc((size_t)server->workers, sizeof(*bus->workers));
	for (int i = 0; i < server->workers; i++) {
		err_t err = worker_start(bus, &bus->workers[i]);

		if (err != OK)
			return err;
	}
	return OK;
}

bool workers_stop(struct bus *bus, int64_t deadline_ms)
{
	bool waited = true;
	int n;

	pthread_mutex_lock(&bus->work_mutex);
	bus->draining = true;
	n = bus->n_workers;
	while (bus->n_busy > 0 && waited)
		waited = bus_cond_wait(&bus->work_changed, &bus->work_mutex, deadline_ms);
	if (bus->n_busy > 0)
		log_warn("bus_drain", "unfinished=%d", bus->n_busy);
	pthread_mutex_unlock(&bus->work_mutex);

	/* Ends the wait of every idle worker. */
	for (int i = 0; i < n; i++)
		nng_ctx_close(bus->workers[i].ctx);
	deadline_ms = clock_ms() + STOP_GRACE_MS;
	pthread_mutex_lock(&bus->work_mutex);
	for (waited = true; bus->n_workers > 0 && waited;)
		waited = bus_cond_wait(&bus->work_changed, &bus->work_mutex, deadline_ms);
	n = bus->n_workers;
	pthread_mutex_unlock(&bus->work_mutex);
	return n == 0;
}
