/*
 * echo_server PORT: the node's end of WebSocket (net/channel.h) that sends back each message. Port
 * 0 takes a free one, which is told on standard output. Ends when its standard input does.
 */
#include "dataplane/net/channel.h"
#include "dataplane/net/listener.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX (16 * 1024 * 1024)

struct message {
	struct message *next;
	bool text;
	size_t len;
	uint8_t data[];
};

struct echo {
	uint8_t *data; /* of the message that is being received */
	size_t len;
	struct message *first, **last; /* to be sent */
	struct message *sent;	       /* is with the stream until fill returns */
};

static uv_loop_t loop;
static struct streams *streams;
static struct listener *listener;

static void free_messages(struct message **list)
{
	while (*list) {
		struct message *message = *list;

		*list = message->next;
		free(message);
	}
}

static void take_whole(struct channel *channel, struct echo *echo, bool text)
{
	struct message *message = xmalloc(sizeof(*message) + echo->len);

	message->next = NULL;
	message->text = text;
	message->len = echo->len;
	if (echo->len > 0)
		memcpy(message->data, echo->data, echo->len);
	*echo->last = message;
	echo->last = &message->next;
	echo->len = 0;
	channel_wake(channel);
}

static void on_received(struct channel *channel, const struct channel_piece *piece)
{
	struct echo *echo = channel->owner;

	if (piece->len + piece->left > MESSAGE_MAX - echo->len) {
		channel_close(channel, WS_STATUS_TOO_BIG, "a message over 16 MiB");
		return;
	}
	echo->data = xrealloc(echo->data, echo->len + piece->len + 1);
	if (piece->len > 0)
		memcpy(echo->data + echo->len, piece->data, piece->len);
	echo->len += piece->len;
	if (piece->final)
		take_whole(channel, echo, piece->text);
}

static void on_fill(struct channel *channel)
{
	struct echo *echo = channel->owner;
	struct message *message;

	free_messages(&echo->sent);
	while ((message = echo->first)) {
		const struct iovec part = { message->data, message->len };

		if (!channel_write(channel, message->text ? WS_TEXT : WS_BINARY, true, &part, 1))
			return;
		echo->first = message->next;
		if (!echo->first)
			echo->last = &echo->first;
		message->next = echo->sent;
		echo->sent = message;
	}
}

static void on_closed(struct channel *channel)
{
	struct echo *echo = channel->owner;

	free_messages(&echo->first);
	free_messages(&echo->sent);
	free(echo->data);
	free(echo);
}

static const struct channel_face face = {
	.received = on_received,
	.fill = on_fill,
	.closed = on_closed,
};

static void on_asked(void *context, struct http *http)
{
	const struct channel_options options = { 0 };
	struct channel *channel;
	const char *why;
	unsigned status = channel_check(http, &why);
	struct echo *echo;

	(void)context;
	if (status != 0) {
		http_answer(http, status, why);
		return;
	}
	channel = channel_accept(http, &options);
	channel->face = &face;
	channel->owner = echo = xcalloc(1, sizeof(*echo));
	echo->last = &echo->first;
	channel_open(channel);
}

static const struct http_face http_face = { .asked = on_asked };

static void on_accepted(void *context, struct stream *stream)
{
	http_create(stream, &http_face, context);
}

static void on_ended(void *arg)
{
	(void)arg;
}

static void on_input(uv_poll_t *input, int status, int events)
{
	char byte;

	(void)status;
	(void)events;
	if (read(STDIN_FILENO, &byte, 1) > 0)
		return;
	uv_close((uv_handle_t *)input, NULL);
	listener_close(listener);
	streams_close(streams, 0, on_ended, NULL);
}

int main(int argc, char **argv)
{
	AUTO_FREE char *listen = xasprintf("127.0.0.1:%s", argc > 1 ? argv[1] : "0");
	struct listener_options options = {
		.loop = &loop, .door = { .listen = listen }, .accepted = on_accepted
	};
	uv_poll_t input;

	uv_loop_init(&loop);
	options.streams = streams = streams_create(&loop);
	if (listener_open(&listener, &options) != OK)
		return EXIT_FAILURE;
	printf("%u\n", listener_port(listener));
	fflush(stdout);
	uv_poll_init(&loop, &input, STDIN_FILENO);
	uv_poll_start(&input, UV_READABLE, on_input);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	streams_destroy(streams);
	block_trim();
	return EXIT_SUCCESS;
}
