/*
 * Calls over the bus, from one process to another, against the same work on bare nng: the same
 * proto, the same pool of req0 sockets with one request in flight each, the same number of workers,
 * but no seal, no arena, no deadline, no choice of instance. What lies between is what the bus
 * costs.
 *
 *     bench_bus [FILE.json]
 */
#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/bus.pb-c.h"
#include "proto/dns.pb-c.h"
#include "tests/bench/report.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_WORKERS   16
#define MAX_FLIGHT  64
#define ROUNDS	    5
#define ROUND_MS    1500
#define WARM_UP_MS  300
#define SAMPLES_MAX 400000 /* of one thread and round */
#define TIMEOUT_MS  10000

#define SERVER_ID "00000000-0000-7000-8000-000000000001"
#define CLIENT_ID "00000000-0000-7000-8000-000000000002"
#define NAME_ID	  "0190a3c2-7b6e-7d4f-9a51-1f2e3d4c5b6a"
#define METHOD	  "dns.Dns/GetName"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			exit(EXIT_FAILURE);                                                        \
		}                                                                                  \
	} while (0)

/* ---- the work that both sides do ---- */

static void fill_name(const Dns__Ref *request, Dns__Name *reply)
{
	reply->id = request->id;
	reply->name = "camera.office.demo.lanyard.test";
	reply->network = "0190a3c2-7b6e-7d4f-9a51-000000000001";
	reply->device = "0190a3c2-7b6e-7d4f-9a51-000000000002";
	reply->ipv4 = "10.77.0.2";
	reply->ipv6 = "fd00::2";
	reply->created_at = "2026-01-01T00:00:00Z";
}

static err_t get_name(struct call *call, const Dns__Ref *request, Dns__Name *reply)
{
	(void)call;
	fill_name(request, reply);
	return OK;
}

static err_t list_names(struct call *call, const Dns__ListRequest *request, Dns__NameList *reply)
{
	(void)request;
	(void)reply;
	return call_refuse(call, ERR_UNIMPLEMENTED, NULL, "not measured");
}

BUS_HANDLER(Dns__Dns_Service, get_name, Dns__Ref, Dns__Name, DNS__NAME__INIT)
BUS_HANDLER(Dns__Dns_Service, list_names, Dns__ListRequest, Dns__NameList, DNS__NAME_LIST__INIT)

static Dns__Dns_Service dns = {
	.base = DNS__DNS__BASE_INIT, .get_name = on_get_name, .list_names = on_list_names
};

/* ---- servers ---- */

static struct bus *open_bus(const char *service, const char *instance, const char *key_file)
{
	struct bus_options options = {
		.service = service,
		.instance = instance,
		.fleet_key_file = key_file,
		.listen = "tcp://127.0.0.1:0",
	};
	struct bus *bus = NULL;

	MUST(bus_open(&bus, &options) == OK);
	return bus;
}

static void serve_ours(const char *key_file)
{
	ProtobufCService *services[] = { &dns.base, NULL };
	struct bus_server server = { .services = services, .workers = N_WORKERS };
	struct bus *bus = open_bus("dns", SERVER_ID, key_file);

	MUST(bus_serve(bus, &server) == OK);
	printf("%s\n", bus_url(bus));
}

static nng_msg *bare_answer(nng_msg *msg)
{
	Bus__Request *request = bus__request__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
	Bus__Reply reply = BUS__REPLY__INIT;
	Dns__Name name = DNS__NAME__INIT;
	uint8_t body[1024];
	Dns__Ref *ref;
	nng_msg *out;

	MUST(request != NULL);
	ref = dns__ref__unpack(NULL, request->body.len, request->body.data);
	MUST(ref != NULL);
	fill_name(ref, &name);
	reply.body = (ProtobufCBinaryData){ dns__name__pack(&name, body), body };
	MUST(nng_msg_alloc(&out, bus__reply__get_packed_size(&reply)) == 0);
	bus__reply__pack(&reply, nng_msg_body(out));
	dns__ref__free_unpacked(ref, NULL);
	bus__request__free_unpacked(request, NULL);
	return out;
}

static void *bare_work(void *arg)
{
	nng_socket *socket = arg;
	nng_ctx ctx;
	nng_aio *aio;

	MUST(nng_ctx_open(&ctx, *socket) == 0 && nng_aio_alloc(&aio, NULL, NULL) == 0);
	for (;;) {
		nng_msg *msg;

		nng_ctx_recv(ctx, aio);
		nng_aio_wait(aio);
		MUST(nng_aio_result(aio) == 0);
		msg = nng_aio_get_msg(aio);
		nng_aio_set_msg(aio, bare_answer(msg));
		nng_msg_free(msg);
		nng_ctx_send(ctx, aio);
		nng_aio_wait(aio);
		MUST(nng_aio_result(aio) == 0);
	}
	return NULL;
}

static void serve_bare(void)
{
	static nng_socket socket;
	nng_listener listener;
	int port;

	MUST(nng_rep0_open(&socket) == 0);
	MUST(nng_listen(socket, "tcp://127.0.0.1:0", &listener, 0) == 0);
	MUST(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0);
	for (int i = 0; i < N_WORKERS; i++) {
		pthread_t thread;

		MUST(pthread_create(&thread, NULL, bare_work, &socket) == 0);
	}
	printf("tcp://127.0.0.1:%d\n", port);
}

_Noreturn static void serve(const char *side, const char *key_file)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(side, "ours") == 0)
		serve_ours(key_file);
	else
		serve_bare();
	fflush(stdout);
	for (;;)
		pause();
}

/* Runs this program again as a server and reads its URL. */
static pid_t server_start(const char *side, const char *key_file, char url[BUS_URL_LEN])
{
	int out[2];
	pid_t pid;
	FILE *lines;

	MUST(pipe(out) == 0);
	pid = fork();
	MUST(pid >= 0);
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execl("/proc/self/exe", "bench_bus", "serve", side, key_file, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	lines = fdopen(out[0], "r");
	MUST(lines != NULL && fscanf(lines, "%255s", url) == 1);
	fclose(lines);
	return pid;
}

/* ---- clients ---- */

static struct bus *bus;
static nng_socket bare_sockets[MAX_FLIGHT];

static void call_ours(int thread)
{
	Dns__Ref request = DNS__REF__INIT;
	const ProtobufCMessage *reply;
	struct call call;

	(void)thread;
	call_init(&call, bus, "service:bench", TIMEOUT_MS);
	request.id = NAME_ID;
	MUST(bus_call(&call, &dns__dns__descriptor, "GetName", &request.base, &reply) == OK);
	MUST(strcmp(((const Dns__Name *)reply)->id, NAME_ID) == 0);
	call_finish(&call);
}

static nng_msg *bare_request(void)
{
	Dns__Ref ref = DNS__REF__INIT;
	Bus__Request request = BUS__REQUEST__INIT;
	uint8_t body[256];
	nng_msg *msg;

	ref.id = NAME_ID;
	request.method = METHOD;
	request.trace = "0123456789abcdef0123456789abcdef";
	request.actor = "service:bench";
	request.timeout_ms = TIMEOUT_MS;
	request.body = (ProtobufCBinaryData){ dns__ref__pack(&ref, body), body };
	MUST(nng_msg_alloc(&msg, bus__request__get_packed_size(&request)) == 0);
	bus__request__pack(&request, nng_msg_body(msg));
	return msg;
}

static void call_bare(int thread)
{
	Bus__Reply *reply;
	Dns__Name *name;
	nng_msg *msg = bare_request();

	MUST(nng_sendmsg(bare_sockets[thread], msg, 0) == 0);
	MUST(nng_recvmsg(bare_sockets[thread], &msg, 0) == 0);
	reply = bus__reply__unpack(NULL, nng_msg_len(msg), nng_msg_body(msg));
	MUST(reply != NULL);
	name = dns__name__unpack(NULL, reply->body.len, reply->body.data);
	MUST(name != NULL && strcmp(name->id, NAME_ID) == 0);
	dns__name__free_unpacked(name, NULL);
	bus__reply__free_unpacked(reply, NULL);
	nng_msg_free(msg);
}

/* ---- measuring ---- */

struct runner {
	void (*call)(int thread);
	int thread;
	pthread_t id;
	int64_t from_ms, until_ms; /* what ends between these counts */
	uint32_t *samples_us;
	size_t n;
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *run(void *arg)
{
	struct runner *runner = arg;
	int64_t began, ended = now_us();

	while (ended / 1000 < runner->until_ms) {
		began = ended;
		runner->call(runner->thread);
		ended = now_us();
		if (ended / 1000 >= runner->from_ms && runner->n < SAMPLES_MAX)
			runner->samples_us[runner->n++] = (uint32_t)(ended - began);
	}
	return NULL;
}

struct figures {
	double calls_s;
	double p99_us;
};

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static struct figures gather(struct runner *runners, int in_flight)
{
	struct figures figures;
	uint32_t *all;
	size_t n = 0;

	for (int i = 0; i < in_flight; i++)
		n += runners[i].n;
	MUST(n > 100);
	all = xmalloc(n * sizeof(*all));
	n = 0;
	for (int i = 0; i < in_flight; i++) {
		memcpy(all + n, runners[i].samples_us, runners[i].n * sizeof(*all));
		n += runners[i].n;
		free(runners[i].samples_us);
	}
	qsort(all, n, sizeof(*all), compare_u32);
	figures.calls_s = (double)n * 1000 / ROUND_MS;
	figures.p99_us = all[n * 99 / 100];
	free(all);
	return figures;
}

static struct figures measure(void (*call)(int thread), int in_flight)
{
	struct runner runners[MAX_FLIGHT];
	int64_t from_ms = clock_ms() + WARM_UP_MS;

	for (int i = 0; i < in_flight; i++) {
		runners[i] = (struct runner){ .call = call,
			.thread = i,
			.from_ms = from_ms,
			.until_ms = from_ms + ROUND_MS };
		runners[i].samples_us = xmalloc(SAMPLES_MAX * sizeof(uint32_t));
		MUST(pthread_create(&runners[i].id, NULL, run, &runners[i]) == 0);
	}
	for (int i = 0; i < in_flight; i++)
		pthread_join(runners[i].id, NULL);
	return gather(runners, in_flight);
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(double), compare_double);
	return values[ROUNDS / 2];
}

/* The sides take turns, so that a busy moment of the machine meets both. */
static void measure_both(int in_flight, struct figures *ours, struct figures *bare)
{
	double calls[2][ROUNDS], p99[2][ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		for (int side = 0; side < 2; side++) {
			struct figures figures =
				measure(side == 0 ? call_ours : call_bare, in_flight);

			calls[side][i] = figures.calls_s;
			p99[side][i] = figures.p99_us;
		}
	*ours = (struct figures){ median(calls[0]), median(p99[0]) };
	*bare = (struct figures){ median(calls[1]), median(p99[1]) };
}

/* Goals: what the bus adds to bare nng costs at most 30 % of the calls and half as much again of
 * time. */
static void report(FILE *file)
{
	static const char peer[] = "nng unsealed";
	struct figures ours[2], bare[2];
	struct report_row rows[4];

	measure_both(1, &ours[0], &bare[0]);
	measure_both(MAX_FLIGHT, &ours[1], &bare[1]);
	for (int i = 0; i < 2; i++) {
		rows[2 * i] = (struct report_row){ i == 0 ? "1 in flight" : "64 in flight",
			"calls/s", ours[i].calls_s, peer, bare[i].calls_s, 0.7 * bare[i].calls_s,
			true };
		rows[2 * i + 1] = (struct report_row){ i == 0 ? "1 in flight, p99"
							      : "64 in flight, p99",
			"us", ours[i].p99_us, peer, bare[i].p99_us, 1.5 * bare[i].p99_us, false };
	}
	report_table(rows, ARRAY_LEN(rows));
	report_json(rows, ARRAY_LEN(rows), file);
}

static void clients_open(const char *key_file, const char *url_ours, const char *url_bare)
{
	struct bus_instance instance = { .service = "dns", .instance = SERVER_ID };

	strcpy(instance.url, url_ours);
	bus = open_bus("bench", CLIENT_ID, key_file);
	bus_set_instances(bus, &instance, 1);
	for (int i = 0; i < MAX_FLIGHT; i++) {
		MUST(nng_req0_open(&bare_sockets[i]) == 0);
		MUST(nng_dial(bare_sockets[i], url_bare, NULL, 0) == 0);
	}
}

int main(int argc, char **argv)
{
	char key_file[] = "/tmp/lanyard-bench-XXXXXX";
	char url_ours[BUS_URL_LEN], url_bare[BUS_URL_LEN];
	pid_t pids[2];
	FILE *file;

	log_open("bench", LOG_LEVEL_ERROR);
	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		serve(argv[2], argv[3]);
	file = report_open(argc, argv, "bus");
	MUST(dprintf(mkstemp(key_file), "k1:%064d\n", 7) > 0);
	pids[0] = server_start("ours", key_file, url_ours);
	pids[1] = server_start("bare", key_file, url_bare);
	clients_open(key_file, url_ours, url_bare);
	report(file);
	unlink(key_file);
	for (int i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	bus_close(bus, 0);
	return 0;
}
