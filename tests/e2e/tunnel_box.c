/*
 * tunnel_box: a device of the tests, with the agent's end of a tunnel and nothing else. The token
 * is in TUNNEL_TOKEN. Tells each state in a line, and ends with its input.
 *
 * usage: tunnel_box URL CA_FILE TARGET HTTP_TARGET|- [proxy]
 */
#include "agents/state.h"
#include "agents/tunnel/tunnel.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct loop *loop;

static void on_input(void *context, uint32_t events)
{
	char buf[64];

	(void)context;
	(void)events;
	if (read(STDIN_FILENO, buf, sizeof(buf)) <= 0)
		loop_stop(loop);
}

static void on_changed(void *context, enum tunnel_state state, const char *why)
{
	static const char *const names[] = { "connecting", "open", "refused" };

	(void)context;
	printf("%s %s\n", names[state], why);
	fflush(stdout);
}

static int fail(const struct fault *fault)
{
	fprintf(stderr, "tunnel_box: %s %s\n", fault->field, fault->detail);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct loop_watch input = { STDIN_FILENO, on_input, NULL };
	struct proxy proxy = { .url = "" };
	struct tunnel_options options = { .changed = on_changed };
	AUTO_FREE char *ca = NULL;
	struct tunnel *tunnel;
	struct fault fault = { "", "" };

	if (argc < 5)
		return EXIT_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	log_open("box", LOG_LEVEL_INFO);
	options.url = argv[1];
	options.token = getenv("TUNNEL_TOKEN");
	options.target = argv[3];
	options.http_target = strcmp(argv[4], "-") != 0 ? argv[4] : NULL;
	options.proxy_protocol = argc > 5;
	if (state_read_file(argv[2], STATE_CA_MAX, &ca, &fault) != OK ||
		tls_trust_create(&options.trust, ca, &fault) != OK ||
		congestion_create(&options.congestion, CONGESTION_AUTO, &fault) != OK)
		return fail(&fault);
	options.loop = loop = loop_create();
	options.fetcher = fetcher_create(loop, &proxy);
	if (tunnel_create(&tunnel, &options, &fault) != OK)
		return fail(&fault);
	loop_add(loop, &input, EPOLLIN);
	loop_run(loop);
	tunnel_destroy(tunnel);
	fetcher_destroy(options.fetcher);
	loop_destroy(loop);
	congestion_destroy(options.congestion);
	tls_trust_destroy(options.trust);
	return EXIT_SUCCESS;
}
