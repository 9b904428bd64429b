/*
 * swarm: many agents in one process, for benchmarks of how they come back.
 *
 *   swarm URL CA.pem < DEVICES    a line a device: "ID SECRET"; the list ends with an empty line
 *
 * Each is an agent as lanyard up runs it, with a TAP interface of its own in this network
 * namespace: it attaches at the portal at URL, connects, and comes back by itself. Prints "open"
 * when all sessions are open. Then, for each line on its standard input, waits until every agent
 * has begun another session, for a minute at most, and prints after how many ms since the line each
 * of them has. The end of its input ends it.
 */
#include "agents/agent_struct.h"

#include "lib/clock.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMBERS_MAX 5000
#define AT_ONCE	    50 /* that are on their way to the first session */
#define TICK_MS	    10
#define LIMIT_MS    60000 /* for all to be back */

struct member {
	struct device device;
	struct tap tap;
	struct link *link;
	struct agent *agent;
	uint64_t sessions; /* that it had when the line came */
};

static struct member members[MEMBERS_MAX];
static size_t n_members, n_begun;
static int64_t back_ms[MEMBERS_MAX];
static size_t n_back;
static int64_t line_ms; /* 0: no line waits for an answer */
static bool opened;
static struct tls_trust *trust;
static struct congestion *congestion;
static struct proxy proxy;
static struct loop *loop;
static struct loop_timer timer;

static void die(const char *what)
{
	fprintf(stderr, "swarm: %s\n", what);
	exit(EXIT_FAILURE);
}

static void check(err_t err, const struct fault *fault)
{
	if (err != OK)
		die(fault->detail);
}

static void on_failed(void *context)
{
	(void)context;
	die("an agent can't go on");
}

static void begin(struct member *member)
{
	struct fault fault;
	char name[16];

	snprintf(name, sizeof(name), "swarm%zu", (size_t)(member - members));
	check(tap_open(&member->tap, name, false, &fault), &fault);
	check(link_open(&member->link, name, &fault), &fault);
	check(agent_create(&member->agent,
		      &(struct agent_options){
			      .loop = loop,
			      .device = &member->device,
			      .trust = trust,
			      .congestion = congestion,
			      .proxy = &proxy,
			      .tap = &member->tap,
			      .link = member->link,
			      .stopped = on_failed,
			      .failed = on_failed,
		      },
		      &fault),
		&fault);
}

static bool is_open(const struct member *member)
{
	return member->agent->state == CONNECTED;
}

static void look_for_opened(void)
{
	size_t n = 0;

	for (size_t i = 0; i < n_begun; i++)
		n += is_open(&members[i]);
	while (n_begun < n_members && n_begun - n < AT_ONCE)
		begin(&members[n_begun++]);
	if (n < n_members)
		return;
	opened = true;
	printf("open\n");
	fflush(stdout);
}

static void look_for_back(void)
{
	int64_t since_ms = clock_ms() - line_ms;

	for (size_t i = 0; i < n_members; i++) {
		struct member *member = &members[i];

		if (member->sessions == UINT64_MAX || !is_open(member) ||
			member->agent->sessions <= member->sessions)
			continue;
		member->sessions = UINT64_MAX;
		back_ms[n_back++] = since_ms;
	}
	if (n_back < n_members && since_ms < LIMIT_MS)
		return;
	line_ms = 0;
	for (size_t i = 0; i < n_back; i++)
		printf("%lld ", (long long)back_ms[i]);
	printf("\n");
	fflush(stdout);
}

static void on_tick(void *context)
{
	(void)context;
	if (!opened)
		look_for_opened();
	else if (line_ms != 0)
		look_for_back();
	loop_set_timer(loop, &timer, clock_ms() + TICK_MS);
}

static void on_input(void *context, uint32_t events)
{
	char line[256];

	(void)context;
	(void)events;
	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		exit(EXIT_SUCCESS);
	for (size_t i = 0; i < n_members; i++)
		members[i].sessions = members[i].agent->sessions;
	n_back = 0;
	line_ms = clock_ms();
}

static void read_devices(const char *url, char *ca_pem)
{
	char line[512];

	setvbuf(stdin, NULL, _IONBF, 0); /* what follows the empty line is for on_input */
	while (fgets(line, sizeof(line), stdin) != NULL && *line != '\n' &&
		n_members < MEMBERS_MAX) {
		struct device *device = &members[n_members++].device;

		snprintf(device->url, sizeof(device->url), "%s", url);
		device->ca_pem = ca_pem;
		if (sscanf(line, "%36s %127s", device->id, device->secret) != 2)
			die("a line of the input is not \"ID SECRET\"");
	}
}

int main(int argc, char **argv)
{
	struct loop_watch input = { STDIN_FILENO, on_input, NULL };
	struct rlimit files = { 8 * MEMBERS_MAX, 8 * MEMBERS_MAX };
	struct fault fault;
	char *ca_pem;

	if (argc != 3)
		die("usage: swarm URL CA.pem");
	log_open("swarm", LOG_LEVEL_ERROR);
	setrlimit(RLIMIT_NOFILE, &files);
	check(state_read_file(argv[2], STATE_CA_MAX, &ca_pem, &fault), &fault);
	check(tls_trust_create(&trust, ca_pem, &fault), &fault);
	check(congestion_create(&congestion, CONGESTION_AUTO, &fault), &fault);
	check(proxy_read(&proxy, NULL, NULL, &fault), &fault);
	read_devices(argv[1], ca_pem);
	loop = loop_create();
	timer = (struct loop_timer){ .fire = on_tick };
	loop_add(loop, &input, EPOLLIN);
	on_tick(NULL);
	loop_run(loop);
	return EXIT_SUCCESS;
}
