/* lanyard status: asks the running lanyard up and lanyard expose how they are. */
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
	"Without --interface and --name it tells of lanyard up, and of each lanyard expose that "
	"runs.\n\n"
	"Exit status: 0 all are connected, 3 one is not (also if nothing is running), 1 it can't "
	"be "
	"told,\n"
	"2 wrong usage.\n";

/* What is printed for people, in this order, of the members that are there. */
static const struct line {
	const char *member;
	const char *label;
} lines[] = {
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

/* All that run; with nothing, lanyard up is what is missed. */
static int ask_all(const char *dir, bool as_json)
{
	char keys[CONTROL_KEYS_MAX][CONTROL_KEY_SIZE];
	size_t n_up = control_list(CONTROL_UP, dir, keys);
	size_t n = control_list(CONTROL_EXPOSE, dir, keys);
	int status = EXIT_SUCCESS;

	if (n_up > 0 || n == 0)
		status = ask(CONTROL_UP, dir, NULL, as_json);
	for (size_t i = 0; i < n; i++) {
		int other;

		if (!as_json && (i > 0 || n_up > 0))
			putchar('\n');
		other = ask(CONTROL_EXPOSE, dir, keys[i], as_json);
		if (other == EXIT_FAILURE || status == EXIT_SUCCESS)
			status = other;
	}
	return status;
}

int command_status(int argc, char **argv)
{
	const char *state = COMMAND_STATE, *interface = NULL, *name = NULL;
	bool as_json = false;
	const struct option_row rows[] = {
		{ "interface", "IFNAME", "of lanyard up for this interface", &interface, NULL },
		{ "name", "NAME", "of lanyard expose for this name", &name, NULL },
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
	return ask_all(state, as_json);
}
