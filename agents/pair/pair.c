/*
 * lanyard pair: connects standard input and output, a TCP port or a unix socket with whoever shows
 * the same token at a rendezvous server (a node's /pair, or nymea's protocol), with a server behind
 * a tunnel proxy, or is such a server.
 */
#include "agents/command.h"
#include "agents/login.h"
#include "agents/options.h"
#include "agents/pair/local.h"
#include "agents/pair/meet.h"
#include "agents/pair/serve.h"
#include "agents/pair/wire.h"
#include "agents/state.h"
#include "agents/url.h"

#include "lib/carry.h"
#include "lib/mem.h"
#include "lib/ws.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN_MAX_LEN  8192
#define TOKEN_VARIABLE "LANYARD_PAIR_TOKEN"
#define OWN_PATH       "/pair"
#define CHUNK	       (32 * 1024)

struct pair {
	/* what was asked for */
	const char *word, *url, *nonce, *name, *ca, *listen, *connect;
	bool tunnel, serve, quiet;
	/* the connections */
	struct wire *wire;
	int in, out;		 /* the local side */
	bool in_over, wire_over; /* who sends nothing more */
	struct carry carry;
	const uint8_t *left; /* of what was received: not written to `out` yet */
	size_t left_len;
};

static const char details[] =
	"TOKEN is what both sides know: the token itself, @FILE for one in a file, or - for that "
	"of the\n"
	"environment variable " TOKEN_VARIABLE
	", or if there is none, one that is asked for at the\n"
	"terminal (a command line can be seen by others). With --tunnel it is the UUID of the "
	"server behind\n"
	"a tunnel proxy, with --serve the UUID that this server is to have.\n\n"
	"URL is wss:// or ws:// (WebSocket), ssl:// or tcp://, with host and port. There nymea's "
	"protocol is\n"
	"spoken, or with the path " OWN_PATH " that of a node, e.g. wss://vpn.example:9443" OWN_PATH
	", which needs\n"
	"--nonce and an access token with the scope pairs:claim.\n\n"
	"A WebSocket that speaks nymea's protocol carries text only, and on any WebSocket the end "
	"of one\n"
	"direction ends both; ssl:// and tcp:// have neither limit.\n\n"
	"Exit status: 0 the connection has ended, 1 it failed or there was nobody, 2 wrong "
	"usage.\n";

/* ---- the token ---- */

static err_t read_token(const char *word, char token[TOKEN_MAX_LEN], struct fault *fault)
{
	const char *value = strcmp(word, "-") == 0 ? getenv(TOKEN_VARIABLE) : word;
	AUTO_FREE char *text = NULL;
	err_t err;

	if (value == NULL)
		return login_prompt("token", TOKEN_VARIABLE, token, fault);
	if (*word == '@') {
		if ((err = state_read_file(word + 1, TOKEN_MAX_LEN - 1, &text, fault)) != OK)
			return err;
		text[strcspn(text, "\r\n")] = '\0';
		value = text;
	}
	if (*value == '\0' || strlen(value) >= TOKEN_MAX_LEN)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "",
			"the token: expected 1 to %d bytes", TOKEN_MAX_LEN - 1);
	memcpy(token, value, strlen(value) + 1);
	return OK;
}

/* ---- both sides ---- */

static void take_local(struct pair *pair)
{
	uint8_t data[CHUNK], text[CARRY_OUT_MAX(CHUNK)];
	ssize_t n = read(pair->in, data, sizeof(data));
	bool is_text = wire_is_text(pair->wire);
	size_t len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !is_text) {
		wire_send(pair->wire, data, (size_t)n);
		return;
	}
	len = n > 0	? carry_next(&pair->carry, data, (size_t)n, text)
	      : is_text ? carry_end(&pair->carry, text)
			: 0;
	if (len > 0)
		wire_send(pair->wire, text, len);
	if (n <= 0) {
		pair->in_over = true;
		wire_end(pair->wire);
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

/* nymea's servers close with 1011 when the other side has gone. */
static bool has_ended_well(const struct pair *pair, const char *why)
{
	unsigned status = wire_close_status(pair->wire);

	return *why == '\0' || pair->in_over || status == WS_STATUS_NORMAL ||
	       (status == WS_STATUS_INTERNAL && strstr(why, "disconnected"));
}

/* The other side sends nothing more. A local socket hears of that alone, and may go on sending;
 * false: that is the end of all. */
static bool half_close(struct pair *pair)
{
	if (pair->in_over || pair->out == STDOUT_FILENO || wire_is_message(pair->wire))
		return false;
	pair->wire_over = true;
	shutdown(pair->out, SHUT_WR);
	return true;
}

/* Takes what has come; false: it is over, and `why` says how. */
static bool take_wire(struct pair *pair, const char **why)
{
	ssize_t n;

	if (pair->left_len > 0 || pair->wire_over)
		return true;
	if ((n = wire_receive(pair->wire, &pair->left, why)) < 0)
		return has_ended_well(pair, *why) && half_close(pair);
	pair->left_len = (size_t)n;
	return true;
}

/* Until both sides are over. A side that is full holds the other one, in each direction alone. */
static err_t join(struct pair *pair, struct fault *fault)
{
	const char *why = "";
	bool flushed = true;

	fcntl(pair->out, F_SETFL, fcntl(pair->out, F_GETFL) | O_NONBLOCK);
	while (!pair->wire_over || !pair->in_over || !flushed) {
		bool more = take_wire(pair, &why);
		bool waits = pair->left_len > 0;
		struct pollfd pollfds[3];

		if (!more)
			return has_ended_well(pair, why)
				       ? OK
				       : fault_set(fault, ERR_UNAVAILABLE, "", "%.200s", why);
		flushed = wire_flush(pair->wire);
		pollfds[0] = (struct pollfd){ .fd = wire_fd(pair->wire),
			.events = (short)((waits || pair->wire_over ? 0 : POLLIN) |
					  (flushed ? 0 : POLLOUT)) };
		pollfds[1] = (struct pollfd){ .fd = pair->in_over || !flushed ? -1 : pair->in,
			.events = POLLIN };
		pollfds[2] = (struct pollfd){ .fd = waits ? pair->out : -1, .events = POLLOUT };
		poll(pollfds, ARRAY_LEN(pollfds), -1);
		if (pair->wire_over && pollfds[0].revents & (POLLHUP | POLLERR))
			return OK; /* nobody is there any more to hear the rest */
		if (pollfds[1].revents != 0)
			take_local(pair);
		if (pollfds[2].revents != 0 && !give_local(pair))
			return fault_set(fault, ERR_UNAVAILABLE, "", "can't write: %m");
	}
	return OK;
}

static err_t open_local(struct pair *pair, struct fault *fault)
{
	err_t err = OK;

	pair->in = STDIN_FILENO;
	pair->out = STDOUT_FILENO;
	if (pair->connect != NULL)
		err = local_connect(pair->connect, false, &pair->in, fault);
	else if (pair->listen != NULL)
		err = local_listen(pair->listen, &pair->in, fault);
	if (pair->in != STDIN_FILENO)
		pair->out = pair->in;
	return err;
}

/* ---- the ways to find the other side ---- */

static bool is_own(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host != NULL ? strchr(host + 3, '/') : NULL;

	return path != NULL && strcmp(path, OWN_PATH) == 0;
}

/* "URL?nonce=..." with all but letters and digits as %XX. */
static char *own_url(const struct pair *pair)
{
	AUTO_FREE char *nonce = xcalloc(3, strlen(pair->nonce) + 1);
	char *to = nonce;

	for (const char *c = pair->nonce; *c != '\0'; c++)
		to += sprintf(to,
			strspn(c, "0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ") > 0
				? "%c"
				: "%%%02X",
			(unsigned char)*c);
	return xasprintf("%s?nonce=%s", pair->url, nonce);
}

static err_t pair_at_node(
	struct pair *pair, const char *token, const char *ca_pem, struct fault *fault)
{
	AUTO_FREE char *url = own_url(pair);
	AUTO_FREE char *bearer = xasprintf("Bearer %s", token);
	err_t err = wire_open(&pair->wire, &(struct wire_options){ url, ca_pem, bearer }, fault);

	sodium_memzero(bearer, strlen(bearer));
	if (err != OK)
		return err;
	wire_be_binary(pair->wire);
	return join(pair, fault);
}

static err_t speak_nymea(
	struct pair *pair, const char *token, const char *ca_pem, struct fault *fault)
{
	struct meet *met = xcalloc(1, sizeof(*met));
	err_t err =
		wire_open(&pair->wire, &(struct wire_options){ pair->url, ca_pem, NULL }, fault);

	met->as = pair->serve ? MEET_TUNNEL_SERVER : pair->tunnel ? MEET_TUNNEL_CLIENT : MEET_PAIR;
	met->token = token;
	met->nonce = pair->nonce;
	met->name = pair->name;
	if (err == OK && (err = meet(met, pair->wire, fault)) == OK) {
		if (!pair->quiet)
			fprintf(stderr, "lanyard pair: %s%s\n",
				pair->serve    ? "registered as "
				: pair->tunnel ? "connected with server "
					       : "connected with ",
				pair->serve || pair->tunnel ? token : met->partner);
		pair->left = met->rest;
		pair->left_len = met->rest_len;
		err = pair->serve ? serve(&(struct serve_options){ pair->wire, met, pair->connect,
						  pair->quiet },
					    fault)
				  : join(pair, fault);
	}
	free(met);
	return err;
}

/* ---- the command ---- */

static err_t run(struct pair *pair, struct fault *fault)
{
	char token[TOKEN_MAX_LEN];
	AUTO_FREE char *ca_pem = NULL;
	err_t err;

	signal(SIGPIPE, SIG_IGN);
	if ((err = read_token(pair->word, token, fault)) != OK ||
		(pair->ca != NULL &&
			(err = state_read_file(pair->ca, STATE_CA_MAX, &ca_pem, fault)) != OK) ||
		(!pair->serve && (err = open_local(pair, fault)) != OK))
		return err;
	err = is_own(pair->url) ? pair_at_node(pair, token, ca_pem, fault)
				: speak_nymea(pair, token, ca_pem, fault);
	wire_close(pair->wire);
	sodium_memzero(token, sizeof(token));
	return err;
}

/* What is wrong with the options together; NULL: nothing. */
static const char *check(const struct pair *pair)
{
	if (pair->url == NULL)
		return "--url is missing";
	if (pair->listen != NULL && pair->connect != NULL)
		return "--listen or --connect, not both";
	if (pair->tunnel && pair->serve)
		return "--tunnel or --serve, not both";
	if (pair->serve && pair->connect == NULL)
		return "--serve needs --connect";
	if (is_own(pair->url) && (pair->tunnel || pair->serve))
		return "a node's " OWN_PATH " has no tunnel servers";
	if (is_own(pair->url) && pair->nonce == NULL)
		return "a node's " OWN_PATH " needs --nonce";
	return NULL;
}

int command_pair(int argc, char **argv)
{
	struct pair pair = { .name = "lanyard" };
	const struct option_row rows[] = {
		{ "url", "URL", "the server, e.g. ssl://vpn.example:1213", &pair.url, NULL },
		{ "nonce", "TEXT", "what tells this pair from others of the token", &pair.nonce,
			NULL },
		{ "name", "TEXT", "what the other side is told (default: lanyard)", &pair.name,
			NULL },
		{ "tunnel", NULL, "TOKEN is the UUID of a server behind a tunnel proxy", NULL,
			&pair.tunnel },
		{ "serve", NULL, "be that server: each client goes where --connect says", NULL,
			&pair.serve },
		{ "listen", "WHERE", "one connection at ADDRESS:PORT or a socket's path, not stdio",
			&pair.listen, NULL },
		{ "connect", "WHERE", "connect to ADDRESS:PORT or a socket's path, not stdio",
			&pair.connect, NULL },
		{ "ca", "FILE", "trust these certificates (PEM) beside the system's", &pair.ca,
			NULL },
		{ "quiet", NULL, "don't tell who is there and who has gone", NULL, &pair.quiet },
		{ 0 },
	};
	const struct option_word words[] = { { "TOKEN", &pair.word }, { NULL, NULL } };
	const struct option_table table = {
		.command = "pair",
		.summary = "Connects with whoever shows the same token at a rendezvous server.",
		.details = details,
		.words = words,
		.rows = rows,
	};
	struct fault fault = { "", "" };
	const char *wrong;
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if ((wrong = check(&pair)) != NULL) {
		fprintf(stderr, "lanyard pair: %s; see lanyard pair --help\n", wrong);
		return EXIT_USAGE;
	}
	if (run(&pair, &fault) == OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "lanyard pair: %s\n", fault.detail);
	return EXIT_FAILURE;
}
