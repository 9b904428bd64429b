/* lanyard status: asks the commands that run how they are. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/document.h"
#include "agents/options.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_NOT_CONNECTED 3

static const char details[] =
	"Without a word of which it tells of all that run: lanyard up, expose, openvpn, wireguard "
	"and packages.\n\n"
	"Exit status: 0 all are connected, 3 one is not (also if nothing is running), 1 it can't "
	"be "
	"told,\n"
	"2 wrong usage.\n";

/* What is printed for people, in this order, of the members that are there. */
static const struct line {
	const char *member;
	const char *label;
} lines[] = {
	{ "command", "command" },
	{ "state", "state" },
	{ "network", "network" },
	{ "name", "name" },
	{ "interface", "interface" },
	{ "netns", "namespace" },
	{ "mac", "MAC" },
	{ "ipv4", "IPv4" },
	{ "ipv6", "IPv6" },
	{ "mtu", "MTU" },
	{ "url", "node" },
	{ "connected_since", "since" },
	{ "sessions", "sessions" },
	{ "frames_in", "frames in" },
	{ "bytes_in", "bytes in" },
	{ "frames_out", "frames out" },
	{ "bytes_out", "bytes out" },
	{ "frames_dropped", "dropped" },
	{ "queue_bytes", "queue" },
	{ "queue_full", "queue full" },
	{ "queue_late", "queue late" },
	{ "queue_segments", "queue segments" },
	{ "server", "VPN server" },
	{ "port", "port" },
	{ "clients", "clients" },
	{ "peers", "peers" },
	{ "package", "package" },
	{ "wanted", "wanted" },
	{ "problem", "problem" },
	{ "problem_at", "at" },
};

/* Of each name of lanyard expose. */
static const struct line name_lines[] = {
	{ "name", "name" },
	{ "state", "state" },
	{ "target", "target" },
	{ "tunnel", "tunnel" },
	{ "tunnel_why", "why" },
	{ "url", "node" },
	{ "streams", "visitors" },
	{ "visitors", "so far" },
	{ "bytes_in", "bytes in" },
	{ "bytes_out", "bytes out" },
	{ "local", "local" },
	{ "certificate", "certificate" },
	{ "key", "key" },
	{ "certificate_until", "good until" },
	{ "certificate_renewal", "renewal" },
	{ "certificate_reason", "failed at" },
	{ "certificate_problem", "because" },
	{ "certificate_retry", "again" },
	{ "problem", "problem" },
};

static void print_lines(const json_t *status, const struct line *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(status, list[i].member);

		if (json_is_string(value) && json_string_length(value) > 0)
			printf("%-11s %s\n", list[i].label, json_string_value(value));
		else if (json_is_integer(value))
			printf("%-11s %lld\n", list[i].label, (long long)json_integer_value(value));
	}
}

static void print_names(const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		if (i > 0)
			putchar('\n');
		print_lines(json_array_get(names, i), name_lines, ARRAY_LEN(name_lines));
	}
}

static int print_status(const char *text, bool as_json)
{
	AUTO_DOCUMENT status = document_read(text, strlen(text));
	const json_t *names = json_object_get(status, "names");
	char state[32];

	if (status == NULL || !document_text(status, "state", NULL, 1, state, sizeof(state))) {
		fprintf(stderr, "lanyard status: the running process gave no proper answer\n");
		return EXIT_FAILURE;
	}
	if (as_json)
		puts(text);
	else if (names != NULL)
		print_names(names);
	else
		print_lines(status, lines, ARRAY_LEN(lines));
	return strcmp(state, "connected") == 0 ? EXIT_SUCCESS : EXIT_NOT_CONNECTED;
}

static int ask(enum control_of of, const char *dir, const char *key, bool as_json)
{
	char answer[CONTROL_ANSWER_MAX];
	struct fault fault = { 0 };
	err_t err = control_ask(of, dir, key, "status\n", answer, &fault);

	if (err == OK)
		return print_status(answer, as_json);
	fprintf(stderr, "lanyard status: %s\n", fault.detail);
	return err == ERR_NOT_FOUND ? EXIT_NOT_CONNECTED : EXIT_FAILURE;
}

struct asking {
	const char *dir;
	bool as_json;
	size_t n;
	int status; /* of all so far */
};

static void ask_next(struct asking *asking, enum control_of of, const char *key)
{
	int status;

	if (asking->n++ > 0 && !asking->as_json)
		putchar('\n');
	status = ask(of, asking->dir, key, asking->as_json);
	if (status == EXIT_FAILURE || asking->status == EXIT_SUCCESS)
		asking->status = status;
}

/* All that run; with nothing, lanyard up is what is missed, and with several of it one has to be
 * chosen. */
static int ask_all(const char *dir, bool as_json)
{
	struct asking asking = { .dir = dir, .as_json = as_json, .status = EXIT_SUCCESS };
	char keys[CONTROL_KEYS_MAX][CONTROL_KEY_SIZE];

	if (control_list(CONTROL_UP, dir, keys) > 0)
		ask_next(&asking, CONTROL_UP, NULL);
	for (enum control_of of = CONTROL_UP + 1; of < CONTROL_KINDS; of++) {
		size_t n = control_list(of, dir, keys);

		for (size_t i = 0; i < n; i++)
			ask_next(&asking, of, keys[i]);
	}
	if (asking.n == 0)
		ask_next(&asking, CONTROL_UP, NULL);
	return asking.status;
}

int command_status(int argc, char **argv)
{
	const char *state = COMMAND_STATE, *interface = NULL, *name = NULL, *openvpn = NULL;
	const char *wireguard = NULL;
	bool as_json = false, packages = false;
	const struct option_row rows[] = {
		{ "interface", "IFNAME", "of lanyard up for this interface", &interface, NULL },
		{ "name", "NAME", "of lanyard expose for this name", &name, NULL },
		{ "openvpn", "IFNAME", "of lanyard openvpn with this interface", &openvpn, NULL },
		{ "wireguard", "IFNAME", "of lanyard wireguard with this interface", &wireguard,
			NULL },
		{ "packages", NULL, "of lanyard packages", NULL, &packages },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &state, NULL },
		{ "json", NULL, "print one JSON object a line, for each", NULL, &as_json },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "status", "Tells how the connections are.", details,
		OPTION_NO_WORDS, rows };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if (name != NULL)
		return ask(CONTROL_EXPOSE, state, name, as_json);
	if (interface != NULL)
		return ask(CONTROL_UP, state, interface, as_json);
	if (openvpn != NULL)
		return ask(CONTROL_OPENVPN, state, openvpn, as_json);
	if (wireguard != NULL)
		return ask(CONTROL_WIREGUARD, state, wireguard, as_json);
	if (packages)
		return ask(CONTROL_PACKAGES, state, CONTROL_ONLY, as_json);
	return ask_all(state, as_json);
}
