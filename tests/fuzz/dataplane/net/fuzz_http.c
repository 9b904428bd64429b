/*
 * http: the head of a request, whole and in two pieces, is refused or can be asked for anything.
 */
#include "dataplane/net/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uv_loop_t loop;
static struct streams *streams;

static void on_asked(void *context, struct http *http)
{
	static const char *const names[] = { "nonce", "network", "" };
	char text[64];
	const char *why;

	(void)context;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (http_query(http, names[i], text, sizeof(text)) && strlen(text) >= sizeof(text))
			abort();
	if (http_path(http)[0] != '/' || http_has_token(http, "Upgrade", "no, token"))
		abort();
	http_answer(http, channel_check(http, &why) == 0 ? 200 : 400, http_method(http));
}

static const struct http_face face = { .asked = on_asked };

static void ask(const uint8_t *data, size_t len, size_t first)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
		abort();
	http_create(stream_create(streams, fds[0], NULL, NULL), &face, NULL);
	if (first > 0 && send(fds[1], data, first, MSG_NOSIGNAL) > 0)
		uv_run(&loop, UV_RUN_NOWAIT);
	if (send(fds[1], data + first, len - first, MSG_NOSIGNAL) >= 0)
		uv_run(&loop, UV_RUN_NOWAIT);
	close(fds[1]);
	for (int i = 0; i < 4; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!streams) {
		uv_loop_init(&loop);
		streams = streams_create(&loop);
	}
	ask(data, len, 0);
	ask(data, len, len / 2);
	return 0;
}
