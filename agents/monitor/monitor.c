/*
 * lanyard monitor: what pairs and tunnels carry just now, on all nodes, on a terminal or as lines
 * of JSON. It asks the gateway each second.
 */
#include "agents/command.h"
#include "agents/login.h"
#include "agents/monitor/look.h"
#include "agents/monitor/model.h"
#include "agents/monitor/view.h"
#include "agents/options.h"
#include "agents/proxy.h"
#include "agents/state.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/uuid.h"

#include <sodium.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define KEY_VARIABLE "LANYARD_API_KEY"

struct monitor {
	/* what was asked for */
	const char *url, *tenant, *key_file, *ca, *interval, *count;
	const char *proxy_url, *proxy_credentials;
	bool as_json;
	long interval_s, n_left; /* looks that are still to succeed; 0: no end */

	struct proxy proxy;
	struct look_options look_options;
	struct loop *loop;
	struct look *look;
	struct view *view; /* NULL: JSON */
	struct loop_timer timer;
	struct loop_watch keys, signals;
	char title[URL_MAX + 64];
	struct fault fault; /* why it ends */
	int status;
};

static const char details[] =
	"URL is the gateway's, e.g. https://vpn.example:8443. The API key, or an access token, is "
	"read from the\n"
	"file of --key-file, else from the environment variable " KEY_VARIABLE
	", else from the terminal. It needs\n"
	"the scope pairs:read; without --tenant it must be a key of the fleet.\n\n"
	"Keys: Tab, Left, Right: tunnels or connections; Up, Down, PageUp, PageDown: scroll; q, "
	"Escape: quit.\n"
	"With --json each look is one line: time, totals, tunnels with their connections, and all "
	"connections.\n"
	"Rates are bytes in the last second.\n\n"
	"Exit status: 0 it was ended, 1 it failed, 2 wrong usage.\n";

/* ---- what is shown ---- */

static void stop(struct monitor *monitor, int status)
{
	monitor->status = status;
	loop_stop(monitor->loop);
}

static void print_line(struct monitor *monitor, const json_t *model)
{
	if (json_dumpf(model, stdout, JSON_COMPACT) != 0 || putchar('\n') == EOF ||
		fflush(stdout) != 0) {
		fault_set(&monitor->fault, ERR_UNAVAILABLE, "", "can't write: %s", strerror(errno));
		stop(monitor, EXIT_FAILURE);
	}
}

static void show(struct monitor *monitor, json_t *connections)
{
	char now[CLOCK_TEXT_LEN];
	json_t *model;

	clock_text(clock_unix_ms() / 1000, now);
	model = model_make(connections, now);
	if (monitor->view)
		view_show(monitor->view, model);
	else
		print_line(monitor, model);
	json_decref(model);
	if (monitor->n_left > 0 && --monitor->n_left == 0)
		stop(monitor, monitor->status);
}

/* A gateway that is away may come back; one that refuses will not change its mind. */
static void complain(struct monitor *monitor, err_t err, const struct fault *fault)
{
	if (err != ERR_UNAVAILABLE) {
		monitor->fault = *fault;
		stop(monitor, EXIT_FAILURE);
	} else if (monitor->view) {
		view_problem(monitor->view, fault->detail);
	} else {
		fprintf(stderr, "lanyard monitor: %s\n", fault->detail);
	}
}

static void on_looked(void *context, json_t *connections, err_t err, const struct fault *fault)
{
	struct monitor *monitor = context;

	if (err == OK)
		show(monitor, connections);
	else
		complain(monitor, err, fault);
}

static void on_time(void *context)
{
	struct monitor *monitor = context;

	loop_set_timer(monitor->loop, &monitor->timer, clock_ms() + monitor->interval_s * 1000);
	look_begin(monitor->look);
}

/* ---- what comes from outside ---- */

static void on_keys(void *context, uint32_t events)
{
	struct monitor *monitor = context;

	if (!view_keys(monitor->view) || (events & (EPOLLHUP | EPOLLERR)))
		stop(monitor, EXIT_SUCCESS);
}

static void on_signal(void *context, uint32_t events)
{
	struct monitor *monitor = context;
	struct signalfd_siginfo signal;

	(void)events;
	if (read(monitor->signals.fd, &signal, sizeof(signal)) != sizeof(signal))
		return;
	if (signal.ssi_signo != SIGWINCH)
		stop(monitor, EXIT_SUCCESS);
	else if (monitor->view)
		view_resize(monitor->view);
}

static void watch_signals(struct monitor *monitor)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	monitor->signals = (struct loop_watch){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		on_signal, monitor };
	loop_add(monitor->loop, &monitor->signals, EPOLLIN);
}

/* ---- the command ---- */

static err_t read_number(const char *name, const char *text, long *out, struct fault *fault)
{
	char *end;

	if (text == NULL)
		return OK;
	errno = 0;
	*out = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && *out >= 1 && *out <= 86400
		       ? OK
		       : fault_set(fault, ERR_INVALID_ARGUMENT, name,
				 "--%s: expected a number from 1 to 86400", name);
}

/* What goes into a URL has to be one at least in form; the gateway checks the rest. */
static bool is_uuid(const char *text)
{
	size_t len = strlen(text);

	return len == UUID_SIZE - 1 && strspn(text, "0123456789abcdefABCDEF-") == len;
}

static err_t check(struct monitor *monitor, struct fault *fault)
{
	struct url url;
	err_t err;

	if ((err = url_parse(&url, "https", monitor->url, fault)) != OK ||
		(err = read_number("interval", monitor->interval, &monitor->interval_s, fault)) !=
			OK ||
		(err = read_number("count", monitor->count, &monitor->n_left, fault)) != OK)
		return err;
	if (strcmp(url.path, "/") != 0)
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "url", "expected a URL without a path");
	if (monitor->tenant != NULL && !is_uuid(monitor->tenant))
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "tenant", "--tenant: expected a UUID");
	return OK;
}

static void watch(struct monitor *monitor)
{
	monitor->loop = loop_create();
	watch_signals(monitor);
	monitor->look = look_create(monitor->loop, &monitor->look_options);
	monitor->timer = (struct loop_timer){ .fire = on_time, .context = monitor };
	if (monitor->view) {
		monitor->keys = (struct loop_watch){ STDIN_FILENO, on_keys, monitor };
		loop_add(monitor->loop, &monitor->keys, EPOLLIN);
	}
	on_time(monitor);
	loop_run(monitor->loop);
	loop_clear_timer(monitor->loop, &monitor->timer);
	look_destroy(monitor->look);
	if (monitor->view)
		loop_remove(monitor->loop, &monitor->keys);
	loop_remove(monitor->loop, &monitor->signals);
	close(monitor->signals.fd);
	loop_destroy(monitor->loop);
	view_close(monitor->view);
}

static err_t run(struct monitor *monitor, struct fault *fault)
{
	AUTO_FREE char *url = xstrdup(monitor->url), *ca_pem = NULL;
	char key[LOGIN_MAX];
	err_t err;

	if (url[strlen(url) - 1] == '/')
		url[strlen(url) - 1] = '\0';
	if ((err = proxy_read(&monitor->proxy, monitor->proxy_url, monitor->proxy_credentials,
		     fault)) != OK ||
		(err = login_read("an API key", monitor->key_file, KEY_VARIABLE, key, fault)) !=
			OK ||
		(*key == '\0' && (err = login_prompt("API key", KEY_VARIABLE, key, fault)) != OK) ||
		(monitor->ca != NULL &&
			(err = state_read_file(monitor->ca, STATE_CA_MAX, &ca_pem, fault)) != OK))
		return err;
	snprintf(monitor->title, sizeof(monitor->title), "%s  %s%s", url,
		monitor->tenant ? "tenant " : "all tenants",
		monitor->tenant ? monitor->tenant : "");
	monitor->look_options = (struct look_options){ url, monitor->tenant, key, ca_pem,
		&monitor->proxy, on_looked, monitor };
	if (monitor->as_json || (err = view_open(&monitor->view, monitor->title, fault)) == OK) {
		watch(monitor);
		*fault = monitor->fault;
		err = monitor->status == EXIT_SUCCESS ? OK : ERR_UNAVAILABLE;
	}
	sodium_memzero(key, sizeof(key));
	return err;
}

int command_monitor(int argc, char **argv)
{
	struct monitor monitor = { .interval_s = 1 };
	const struct option_row rows[] = {
		{ "tenant", "UUID", "only of this tenant (default: of all)", &monitor.tenant,
			NULL },
		{ "json", NULL, "print a line of JSON each time, no terminal needed", NULL,
			&monitor.as_json },
		{ "interval", "SECONDS", "between two looks (default: 1)", &monitor.interval,
			NULL },
		{ "count", "N", "end after so many looks", &monitor.count, NULL },
		{ "key-file", "FILE", "read the API key from FILE", &monitor.key_file, NULL },
		{ "ca", "FILE", "trust these certificates (PEM) beside the system's", &monitor.ca,
			NULL },
		{ "proxy", "URL", "through http://HOST:PORT or socks5://HOST:PORT",
			&monitor.proxy_url, NULL },
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",
			&monitor.proxy_credentials, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_word words[] = { { "URL", &monitor.url }, { NULL, NULL } };
	const struct option_table table = { "monitor",
		"Shows what pairs and tunnels carry just now, on all nodes.", details, words,
		rows };
	struct fault fault = { "", "" };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if (check(&monitor, &fault) != OK) {
		fprintf(stderr, "lanyard monitor: %s; see lanyard monitor --help\n", fault.detail);
		return EXIT_USAGE;
	}
	if (run(&monitor, &fault) == OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "lanyard monitor: %s\n", fault.detail);
	return EXIT_FAILURE;
}
