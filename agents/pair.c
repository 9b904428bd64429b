/*
 * lanyard pair: finds the other client with the same token at a rendezvous server (nymea's or
 * Lanyard's), or a server behind a tunnel proxy, and connects it with standard input and output, a
 * TCP port or a unix socket.
 */
#include "agents/command.h"
#include "agents/document.h"
#include "agents/options.h"
#include "agents/pair_wire.h"
#include "agents/state.h"

#include "lib/carry.h"
#include "lib/endpoint.h"
#include "lib/mem.h"
#include "lib/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN_MAX_LEN  8192
#define TOKEN_VARIABLE "LANYARD_PAIR_TOKEN"
#define CHUNK	       (32 * 1024)

struct pair {
	/* what was asked for */
	const char *token, *url, *nonce, *name, *ca, *listen, *connect;
	bool tunnel;
	/* the connections */
	struct pair_wire *wire;
	int in, out; /* the local side */
	bool in_over;
	struct carry carry;
	const uint8_t *left; /* of what was received: not written to `out` yet */
	size_t left_len;
	bool quiet;
};

static const char details[] =
	"TOKEN is what both sides know: the token itself, @FILE for one in a file, or - for that "
	"of\n"
	"the environment variable " TOKEN_VARIABLE " (a command line can be seen by others). With "
	"--tunnel it is\n"
	"the UUID of the server behind a tunnel proxy.\n\n"
	"Over a WebSocket nymea's protocol carries text only; use ssl:// or tcp:// for anything "
	"else.\n\n"
	"Exit status: 0 the connection has ended, 1 it failed or there was nobody, 2 wrong "
	"usage.\n";

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "lanyard pair: %s%s%s\n", what, *why != '\0' ? ": " : "", why);
	return EXIT_FAILURE;
}

/* ---- the token ---- */

static bool read_token(const char *word, char token[TOKEN_MAX_LEN], struct fault *fault)
{
	const char *value = strcmp(word, "-") == 0 ? getenv(TOKEN_VARIABLE) : word;
	AUTO_FREE char *text = NULL;

	if (*word != '@') {
		snprintf(token, TOKEN_MAX_LEN, "%s", value != NULL ? value : "");
		if (value == NULL)
			fault_set(fault, ERR_INVALID_ARGUMENT, "", TOKEN_VARIABLE " is not set");
		return value != NULL;
	}
	if (state_read_file(word + 1, TOKEN_MAX_LEN - 1, &text, fault) != OK)
		return false;
	snprintf(token, TOKEN_MAX_LEN, "%s", text);
	token[strcspn(token, "\r\n")] = '\0';
	return true;
}

/* ---- finding the other side ---- */

static void send_request(struct pair *pair, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:i, s:s, s:o}", "id", 0, "method", method, "params", params);
	char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
	AUTO_FREE char *line = xasprintf("%s\n", text);

	pair_wire_send(pair->wire, line, strlen(line));
	free(text);
	json_decref(request);
}

/* Waits for bytes of the server. */
static ssize_t receive(struct pair *pair, const uint8_t **data, const char **why)
{
	ssize_t n;

	while ((n = pair_wire_receive(pair->wire, data, why)) == 0) {
		bool flushed = pair_wire_flush(pair->wire);
		struct pollfd pollfd = { .fd = pair_wire_fd(pair->wire),
			.events = (short)(POLLIN | (flushed ? 0 : POLLOUT)) };

		poll(&pollfd, 1, -1);
	}
	return n;
}

/* One document of the server is looked at; 1: go on, 0: the other side is there, -1: refused. */
static int take_document(struct pair *pair, const char *text, size_t len)
{
	AUTO_DOCUMENT document = document_read(text, len);
	const json_t *params = json_object_get(document, "params");
	const char *error = json_string_value(
		json_object_get(params, pair->tunnel ? "tunnelProxyError" : "authenticationError"));
	const char *told = json_string_value(json_object_get(document, "error"));
	const char *name = json_string_value(json_object_get(params, "name"));

	if (told != NULL || (error != NULL && strstr(error, "ErrorNoError") == NULL)) {
		fail("the server refuses", told != NULL ? told : error);
		return -1;
	}
	if (error != NULL && pair->tunnel)
		return 0;
	if (json_object_get(document, "notification") == NULL)
		return 1;
	if (!pair->quiet)
		fprintf(stderr, "lanyard pair: connected with %s\n", name != NULL ? name : "?");
	return 0;
}

/* Takes documents until the other side is there; bytes after the last one are the other's. */
static bool meet(struct pair *pair)
{
	char text[16 * 1024];
	size_t len = 0;

	for (int state = 1; state > 0;) {
		const uint8_t *data;
		const char *why;
		ssize_t n = receive(pair, &data, &why);
		char *end;

		if (n < 0)
			return fail("nobody came", why) == EXIT_SUCCESS;
		if ((size_t)n >= sizeof(text) - len)
			return fail("the server does not speak nymea's protocol", "") ==
			       EXIT_SUCCESS;
		memcpy(text + len, data, (size_t)n);
		len += (size_t)n;
		text[len] = '\0';
		while (state > 0 && (end = strstr(text, "}\n")) != NULL) {
			size_t used = (size_t)(end + 2 - text);

			if ((state = take_document(pair, text, used)) < 0)
				return false;
			memmove(text, text + used, len - used + 1);
			len -= used;
		}
	}
	if (len > 0 && write(pair->out, text, len) < 0)
		return fail("can't write", strerror(errno)) == EXIT_SUCCESS;
	return true;
}

static bool introduce(struct pair *pair, const char *token)
{
	char uuid[UUID_SIZE];
	AUTO_FREE char *braced = NULL;
	json_t *params;

	uuid_new(uuid);
	braced = xasprintf("{%s}", uuid);
	if (pair->tunnel) {
		send_request(pair, "TunnelProxy.RegisterClient",
			json_pack("{s:s, s:s, s:s}", "clientName", pair->name, "clientUuid", braced,
				"serverUuid", token));
	} else {
		params = json_pack(
			"{s:s, s:s, s:s}", "name", pair->name, "token", token, "uuid", braced);
		if (pair->nonce != NULL)
			json_object_set_new(params, "nonce", json_string(pair->nonce));
		send_request(pair, "Authentication.Authenticate", params);
	}
	return meet(pair);
}

/* ---- the local side ---- */

static bool open_local(struct pair *pair, struct fault *fault)
{
	const char *text = pair->listen != NULL ? pair->listen : pair->connect;
	struct sockaddr_storage address;
	socklen_t len;
	int fd, one = 1;

	pair->in = STDIN_FILENO;
	pair->out = STDOUT_FILENO;
	if (text == NULL)
		return true;
	if (endpoint_parse_any(text, &address, &len) != OK) {
		fault_set(fault, ERR_INVALID_ARGUMENT, "",
			"%.100s: expected ADDRESS:PORT or a path", text);
		return false;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (pair->connect != NULL && connect(fd, (struct sockaddr *)&address, len) == 0) {
		pair->in = pair->out = fd;
		return true;
	}
	if (pair->listen != NULL && bind(fd, (struct sockaddr *)&address, len) == 0 &&
		listen(fd, 1) == 0)
		pair->in = pair->out = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (pair->listen == NULL || pair->in < 0 || pair->in == STDIN_FILENO)
		fault_set(fault, ERR_UNAVAILABLE, "", "%.100s: %m", text);
	close(fd);
	return pair->in > STDIN_FILENO;
}

static void take_local(struct pair *pair)
{
	uint8_t data[CHUNK], text[CARRY_OUT_MAX(CHUNK)];
	ssize_t n = read(pair->in, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		pair->in_over = true;
		pair_wire_end(pair->wire);
	} else if (pair_wire_is_message(pair->wire)) {
		size_t len = carry_next(&pair->carry, data, (size_t)n, text);

		if (len > 0)
			pair_wire_send(pair->wire, text, len);
	} else {
		pair_wire_send(pair->wire, data, (size_t)n);
	}
}

/* Writes what is left; false: the local side is gone. */
static bool give_local(struct pair *pair)
{
	ssize_t n = write(pair->out, pair->left, pair->left_len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	pair->left += n;
	pair->left_len -= (size_t)n;
	return true;
}

/* Until either side is over. A side that is full holds the other one, in each direction alone. */
static int run(struct pair *pair)
{
	fcntl(pair->out, F_SETFL, fcntl(pair->out, F_GETFL) | O_NONBLOCK);
	for (;;) {
		const char *why = "";
		bool flushed = pair_wire_flush(pair->wire);
		ssize_t n =
			pair->left_len > 0 ? 0 : pair_wire_receive(pair->wire, &pair->left, &why);
		struct pollfd pollfds[] = {
			{ pair_wire_fd(pair->wire),
				(short)((pair->left_len > 0 || n > 0 ? 0 : POLLIN) |
					(flushed ? 0 : POLLOUT)),
				0 },
			{ pair->in_over || !flushed ? -1 : pair->in, POLLIN, 0 },
			{ pair->left_len > 0 || n > 0 ? pair->out : -1, POLLOUT, 0 },
		};

		if (n < 0) /* of a stream this is its end, of a WebSocket too when we began it */
			return EXIT_SUCCESS;
		if (n > 0)
			pair->left_len = (size_t)n;
		poll(pollfds, ARRAY_LEN(pollfds), -1);
		if (pollfds[1].revents != 0)
			take_local(pair);
		if (pollfds[2].revents != 0 && !give_local(pair))
			return fail("can't write", strerror(errno));
	}
}

/* ---- the command ---- */

static int pair_up(struct pair *pair)
{
	char token[TOKEN_MAX_LEN];
	AUTO_FREE char *ca_pem = NULL;
	struct fault fault = { "", "" };
	int status = EXIT_FAILURE;

	if (!read_token(pair->token, token, &fault) ||
		(pair->ca != NULL &&
			state_read_file(pair->ca, STATE_CA_MAX, &ca_pem, &fault) != OK) ||
		!open_local(pair, &fault) ||
		pair_wire_open(&pair->wire, pair->url, ca_pem, &fault) != OK)
		fail(fault.detail, "");
	else if (introduce(pair, token))
		status = run(pair);
	pair_wire_close(pair->wire);
	return status;
}

int command_pair(int argc, char **argv)
{
	struct pair pair = { .name = "lanyard" };
	const struct option_row rows[] = {
		{ "url", "URL", "the server: wss://, ws://, ssl:// or tcp:// with host and port",
			&pair.url, NULL },
		{ "nonce", "TEXT", "what tells this pair from others of the token", &pair.nonce,
			NULL },
		{ "name", "TEXT", "what the other side is told (default: lanyard)", &pair.name,
			NULL },
		{ "tunnel", NULL, "TOKEN is the UUID of a server behind a tunnel proxy", NULL,
			&pair.tunnel },
		{ "listen", "WHERE", "one connection at ADDRESS:PORT or a socket's path, not stdio",
			&pair.listen, NULL },
		{ "connect", "WHERE", "connect to ADDRESS:PORT or a socket's path, not stdio",
			&pair.connect, NULL },
		{ "ca", "FILE", "PEM file of the certificates to trust (default: the system's)",
			&pair.ca, NULL },
		{ "quiet", NULL, "don't tell when the other side is there", NULL, &pair.quiet },
		{ 0 },
	};
	const struct option_word words[] = { { "TOKEN", &pair.token }, { NULL, NULL } };
	const struct option_table table = {
		.command = "pair",
		.summary = "Connects with whoever shows the same token at a rendezvous server.",
		.details = details,
		.words = words,
		.rows = rows,
	};
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if (pair.url == NULL || (pair.listen != NULL && pair.connect != NULL)) {
		fprintf(stderr, "lanyard pair: %s; see lanyard pair --help\n",
			pair.url == NULL ? "--url is missing" : "--listen or --connect, not both");
		return EXIT_USAGE;
	}
	return pair_up(&pair);
}
