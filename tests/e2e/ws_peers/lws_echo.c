/*
 * lws_echo: libwebsockets sends back each message; its port is told on standard output. Prints
 * "closed CODE" of each close frame. Ends when it is killed.
 * lws_echo PORT CODE: as a client it sends the messages of lengths.h and wants each of them back,
 * then closes with the code.
 */
#include "tests/e2e/ws_peers/lengths.h"

#include <libwebsockets.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX (16 * 1024 * 1024)

struct message {
	struct message *next;
	enum lws_write_protocol how;
	size_t len;
	unsigned char data[];
};

struct echo {
	unsigned char *data; /* of the message that is being received */
	size_t len;
	struct message *first, **last;
	size_t n_heard, n_said; /* by a client: messages that came back, parts of the next */
};

static int over, close_code;
static const char *how = "lost";

/* Adds a piece to the message that is being received; true: it is whole. */
static bool gather(struct lws *wsi, struct echo *echo, const void *in, size_t len)
{
	echo->data = realloc(echo->data, echo->len + len + 1);
	if (len > 0)
		memcpy(echo->data + echo->len, in, len);
	echo->len += len;
	return lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
}

static int take(struct lws *wsi, struct echo *echo, const void *in, size_t len)
{
	struct message *message;

	if (len > MESSAGE_MAX - echo->len)
		return -1;
	if (!gather(wsi, echo, in, len))
		return 0;
	message = malloc(sizeof(*message) + LWS_PRE + echo->len);
	message->next = NULL;
	message->how = lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
	message->len = echo->len;
	memcpy(message->data + LWS_PRE, echo->data, echo->len);
	*echo->last = message;
	echo->last = &message->next;
	echo->len = 0;
	lws_callback_on_writable(wsi);
	return 0;
}

static int give(struct lws *wsi, struct echo *echo)
{
	struct message *message = echo->first;
	int n;

	if (message == NULL)
		return 0;
	n = lws_write(wsi, message->data + LWS_PRE, message->len, message->how);
	echo->first = message->next;
	if (echo->first == NULL)
		echo->last = &echo->first;
	else
		lws_callback_on_writable(wsi);
	free(message);
	return n < 0 ? -1 : 0;
}

/* ---- a client ---- */

/* Bytes of a message, with room for a header in front. */
static unsigned char *said(size_t from, size_t len)
{
	unsigned char *bytes = malloc(LWS_PRE + len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[LWS_PRE + i] = (unsigned char)('a' + (from + i) % 23);
	return bytes;
}

struct part {
	size_t from, len;
	int kind; /* enum lws_write_protocol */
};

static void say_part(struct lws *wsi, const struct part *part)
{
	unsigned char *bytes = said(part->from, part->len);

	lws_write(wsi, bytes + LWS_PRE, part->len, part->kind);
	free(bytes);
}

/* One write for each time that it is writable, as libwebsockets wants it. */
static int say(struct lws *wsi, struct echo *echo)
{
	const size_t len = lengths[echo->n_heard / 2 % N_LENGTHS], part = len / 3;
	const struct part whole = { 0, len, LWS_WRITE_BINARY };
	const struct part parts[] = {
		{ 0, part, LWS_WRITE_TEXT | LWS_WRITE_NO_FIN },
		{ 0, 7, LWS_WRITE_PING },
		{ part, part, LWS_WRITE_CONTINUATION | LWS_WRITE_NO_FIN },
		{ 2 * part, len - 2 * part, LWS_WRITE_CONTINUATION },
	};
	const size_t n = echo->n_heard % 2 ? 4 : 1;

	if (echo->n_said == n || echo->n_heard == 2 * N_LENGTHS) /* it waits, or is done */
		return 0;
	say_part(wsi, n == 1 ? &whole : &parts[echo->n_said]);
	echo->n_said++;
	lws_callback_on_writable(wsi);
	return 0;
}

static int hear(struct lws *wsi, struct echo *echo, const void *in, size_t len)
{
	size_t wanted = lengths[echo->n_heard / 2];
	unsigned char *bytes;
	int same;

	if (!gather(wsi, echo, in, len))
		return 0;
	bytes = said(0, wanted);
	same = echo->len == wanted && memcmp(echo->data, bytes + LWS_PRE, wanted) == 0 &&
	       lws_frame_is_binary(wsi) == (echo->n_heard % 2 == 0);
	free(bytes);
	how = same ? how : "other bytes came back";
	echo->len = echo->n_said = 0;
	if (!same)
		return -1;
	if (++echo->n_heard == 2 * N_LENGTHS) {
		how = "all came back";
		lws_close_reason(wsi, close_code, NULL, 0);
		return -1;
	}
	lws_callback_on_writable(wsi);
	return 0;
}

/* ---- */

static int on_event(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct echo *echo = user;
	const unsigned char *code = in;

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		memset(echo, 0, sizeof(*echo));
		echo->last = &echo->first;
		if (reason == LWS_CALLBACK_CLIENT_ESTABLISHED)
			lws_callback_on_writable(wsi);
		return 0;
	case LWS_CALLBACK_RECEIVE:
		return take(wsi, echo, in, len);
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return hear(wsi, echo, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return give(wsi, echo);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return say(wsi, echo);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		printf("closed %d\n", len >= 2 ? code[0] << 8 | code[1] : 1005);
		fflush(stdout);
		return 0;
	case LWS_CALLBACK_CLOSED:
	case LWS_CALLBACK_CLIENT_CLOSED:
		free(echo->data);
		while (echo->first) {
			struct message *message = echo->first;

			echo->first = message->next;
			free(message);
		}
		over = reason == LWS_CALLBACK_CLIENT_CLOSED;
		if (over)
			printf("%s\n", how);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		printf("no connection: %s\n", in ? (const char *)in : "");
		over = 1;
		return 0;
	default:
		return 0;
	}
}

static const struct lws_protocols protocols[] = {
	{ "lanyard.l2.v1", on_event, sizeof(struct echo), 65536, 0, NULL, 0 },
	{ NULL, NULL, 0, 0, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
	const int is_client = argc == 3;
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.iface = "127.0.0.1",
		.protocols = protocols,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
	};
	struct lws_client_connect_info connect = { .address = "127.0.0.1",
		.path = "/",
		.host = "127.0.0.1",
		.origin = "127.0.0.1",
		.ietf_version_or_minus_one = -1,
		.local_protocol_name = protocols[0].name };
	struct lws_context *context;
	struct lws_vhost *vhost;

	lws_set_log_level(LLL_ERR, NULL);
	close_code = is_client ? atoi(argv[2]) : 0;
	context = lws_create_context(&info);
	if (context == NULL)
		return EXIT_FAILURE;
	if (!is_client)
		info.port = 0;
	vhost = lws_create_vhost(context, &info);
	if (vhost == NULL)
		return EXIT_FAILURE;
	if (is_client) {
		connect.context = context;
		connect.vhost = vhost;
		connect.port = atoi(argv[1]);
		lws_client_connect_via_info(&connect);
	} else {
		printf("%d\n", lws_get_vhost_listen_port(vhost));
		fflush(stdout);
	}
	while (!over && lws_service(context, 0) >= 0)
		;
	lws_context_destroy(context);
	return EXIT_SUCCESS;
}
