/* lanyard status: asks the running lanyard up how it is. */
#include "agents/command.h"
#include "agents/control.h"
#include "agents/document.h"
#include "agents/options.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_NOT_CONNECTED 3

static const char details[] = "Exit status: 0 connected, 3 not connected (also if lanyard up is "
			      "not running), 1 it can't be told,\n"
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
	{ "problem", "problem" },
	{ "problem_at", "at" },
};

static void print_lines(const json_t *status)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const json_t *value = json_object_get(status, lines[i].member);

		if (json_is_string(value) && json_string_length(value) > 0)
			printf("%-11s %s\n", lines[i].label, json_string_value(value));
		else if (json_is_integer(value))
			printf("%-11s %lld\n", lines[i].label,
				(long long)json_integer_value(value));
	}
}

static int print_status(const char *text, bool as_json)
{
	AUTO_DOCUMENT status = document_read(text, strlen(text));
	char state[32];

	if (status == NULL || !document_text(status, "state", NULL, 1, state, sizeof(state))) {
		fprintf(stderr, "lanyard status: lanyard up gave no proper answer\n");
		return EXIT_FAILURE;
	}
	if (as_json)
		puts(text);
	else
		print_lines(status);
	return strcmp(state, "connected") == 0 ? EXIT_SUCCESS : EXIT_NOT_CONNECTED;
}

int command_status(int argc, char **argv)
{
	const char *state = COMMAND_STATE, *interface = NULL;
	bool as_json = false;
	const struct option_row rows[] = {
		{ "interface", "IFNAME", "of this interface (default: the only one)", &interface,
			NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &state, NULL },
		{ "json", NULL, "print one JSON object", NULL, &as_json },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = { "status", "Tells how the connection is.", details,
		OPTION_NO_WORDS, rows };
	char answer[CONTROL_ANSWER_MAX];
	struct fault fault = { 0 };
	int status;
	err_t err;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if ((err = control_ask(state, interface, "status\n", answer, &fault)) == OK)
		return print_status(answer, as_json);
	fprintf(stderr, "lanyard status: %s\n", fault.detail);
	return err == ERR_NOT_FOUND ? EXIT_NOT_CONNECTED : EXIT_FAILURE;
}
