/* edges: see edges.h. One that fails to answer twice in a row is away, until it answers. */
#include "services/dns/edges.h"

#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/metrics.h"
#include "lib/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVERY_MS  2000
#define ANSWER_MS 2000
#define FAILURES  2

static struct metric away_now = { .name = "lanyard_dns_tunnel_addresses_away",
	.help = "Addresses of the tunnel that take no connections.",
	.type = METRIC_GAUGE };

struct edges {
	struct edges_options options;
	struct worker *worker;
	unsigned failures[RECORDS_ADDRESSES_MAX]; /* in a row */
	unsigned told;				  /* `away`, when `changed` was last OK */
};

/* ---- one look ---- */

/* The socket that connects; -1: it can't, or not at once. */
static int dial(const char *host, long port)
{
	AUTO_FREE char *text =
		xasprintf(strchr(host, ':') != NULL ? "[%s]:%ld" : "%s:%ld", host, port);
	struct sockaddr_storage address;
	socklen_t len;
	int fd;

	if (endpoint_parse_any(text, &address, &len) != OK)
		return -1;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, len) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* Whether it has connected; closes it. */
static bool finish(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	close(fd);
	return error == 0;
}

/* Tries all of them at the same time. */
static void try_all(const struct edges *edges, bool answers[RECORDS_ADDRESSES_MAX])
{
	const struct records_settings *records = edges->options.records;
	struct pollfd pollfds[RECORDS_ADDRESSES_MAX];
	int64_t until_ms = clock_ms() + ANSWER_MS, left_ms;
	size_t n = records->n_tunnel, n_left = 0;

	for (size_t i = 0; i < n; i++) {
		answers[i] = false;
		pollfds[i] = (struct pollfd){ .fd = dial(records->tunnel[i], edges->options.port),
			.events = POLLOUT };
		n_left += pollfds[i].fd >= 0;
	}
	while (n_left > 0 && (left_ms = until_ms - clock_ms()) > 0 &&
		poll(pollfds, n, (int)left_ms) > 0)
		for (size_t i = 0; i < n; i++) {
			if (pollfds[i].revents == 0)
				continue;
			answers[i] = finish(pollfds[i].fd);
			pollfds[i].fd = -1;
			n_left--;
		}
	for (size_t i = 0; i < n; i++)
		if (pollfds[i].fd >= 0)
			close(pollfds[i].fd);
}

/* ---- what follows ---- */

static void judge(struct edges *edges, size_t i, bool answers)
{
	const char *address = edges->options.records->tunnel[i];
	unsigned before = edges->failures[i];

	edges->failures[i] = answers ? 0 : before < FAILURES ? before + 1 : FAILURES;
	if (edges->failures[i] == FAILURES && before != FAILURES)
		log_warn("tunnel_address_away",
			"address=%s port=%ld action=\"names are told the others\"", address,
			edges->options.port);
	else if (answers && before == FAILURES)
		log_info(
			"tunnel_address_back", "address=%s port=%ld", address, edges->options.port);
}

static int64_t run(void *arg)
{
	struct edges *edges = arg;
	struct records_settings *records = edges->options.records;
	bool answers[RECORDS_ADDRESSES_MAX];
	unsigned away = 0, n = 0;

	try_all(edges, answers);
	for (size_t i = 0; i < records->n_tunnel; i++) {
		judge(edges, i, answers[i]);
		if (edges->failures[i] == FAILURES) {
			away |= 1U << i;
			n++;
		}
	}
	metric_set(&away_now, n);
	/* With all of them away it may be us who are cut off. */
	if (n == records->n_tunnel)
		away = 0;
	atomic_store(&records->away, away);
	if (edges->told != away && edges->options.changed() == OK)
		edges->told = away;
	return EVERY_MS;
}

struct edges *edges_start(const struct edges_options *options)
{
	struct edges *edges = xcalloc(1, sizeof(*edges));

	metric_register(&away_now);
	edges->options = *options;
	edges->worker = worker_start(run, edges);
	return edges;
}

void edges_stop(struct edges *edges)
{
	if (edges == NULL)
		return;
	worker_stop(edges->worker);
	free(edges);
}
