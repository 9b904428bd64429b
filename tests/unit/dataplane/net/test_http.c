/*
 * http: what of a request's head is understood, what is refused and with which status, and answers.
 */
#include "tests/unit/dataplane/net/net_fixture.h"

#include "dataplane/net/http.h"

static struct http *asked;
static bool gone;
static char reply[2048];
static int peer;

static void on_asked(void *context, struct http *http)
{
	cr_assert_eq(context, &peer);
	asked = http;
}

static void on_gone(void *context, struct http *http)
{
	cr_assert_eq(context, &peer);
	cr_assert_eq(http, asked);
	gone = true;
}

static const struct http_face face = { .asked = on_asked, .gone = on_gone };

static void begin(void)
{
	asked = NULL;
	gone = false;
	http_create(net_stream(NULL, NULL, &peer), &face, &peer);
}

static void finish(void)
{
	close(peer);
	for (int i = 0; i < 5; i++)
		uv_run(&net_loop, UV_RUN_NOWAIT);
}

/* Sends a request, in steps of so many bytes, and waits until it was asked for or answered. */
static void ask(const char *request, size_t step)
{
	size_t len = strlen(request);

	begin();
	for (size_t at = 0; at < len; at += step) {
		net_send(peer, request + at, step < len - at ? step : len - at);
		uv_run(&net_loop, UV_RUN_NOWAIT);
	}
}

static unsigned answer(void)
{
	unsigned status = 0;
	size_t len = net_receive(peer, reply, sizeof(reply) - 1);

	reply[len] = '\0';
	cr_assert_eq(sscanf(reply, "HTTP/1.1 %u ", &status), 1, "%s", reply);
	return status;
}

TestSuite(http, .init = net_setup, .fini = net_teardown, .timeout = 60);

Test(http, reads_a_request_whole_or_byte_by_byte)
{
	static const char request[] = "GET /a/b?nonce=a%20b+c&network=&x=%41 HTTP/1.1\r\n"
				      "Host: node:1\r\nEmpty:\r\nX-Blank:  two words \t\r\n"
				      "Connection: keep-alive, Upgrade\r\nUPGRADE: WebSocket\r\n"
				      "Connection: other\r\n\r\n";
	const size_t steps[] = { sizeof(request), 1, 7 };
	char text[16];

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		ask(request, steps[i]);
		UNTIL(asked);
		cr_assert_str_eq(http_method(asked), "GET");
		cr_assert_str_eq(http_path(asked), "/a/b");
		cr_assert_str_eq(http_header(asked, "host"), "node:1");
		cr_assert_str_eq(http_header(asked, "empty"), "");
		cr_assert_str_eq(http_header(asked, "x-blank"), "two words");
		cr_assert_null(http_header(asked, "nothing"));
		cr_assert(http_has_token(asked, "Connection", "upgrade"));
		cr_assert(http_has_token(asked, "Connection", "other"));
		cr_assert_not(http_has_token(asked, "Connection", "grade"));
		cr_assert(http_has_token(asked, "Upgrade", "websocket"));
		cr_assert(http_query(asked, "nonce", text, sizeof(text)));
		cr_assert_str_eq(text, "a b c");
		cr_assert(http_query(asked, "network", text, sizeof(text)));
		cr_assert_str_eq(text, "");
		cr_assert(http_query(asked, "x", text, sizeof(text)));
		cr_assert_str_eq(text, "A");
		cr_assert(http_query(asked, "y", text, sizeof(text)));
		cr_assert_not(http_query(asked, "nonce", text, 5));
		http_answer(asked, 404, "Nothing is here.");
		cr_assert_eq(answer(), 404);
		cr_assert_not_null(strstr(reply, "\r\nContent-Length: 17\r\n"));
		cr_assert_str_eq(strstr(reply, "\r\n\r\n") + 4, "Nothing is here.\n");
		finish();
	}
}

Test(http, refuses_what_it_should)
{
	static char many[HTTP_HEADERS_MAX * 8 + 256], large[HTTP_HEAD_MAX + 64];
	const struct {
		const char *request;
		unsigned want;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.0\r\n\r\n", 0 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
			400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400 },
		{ "GET / HTTP/2\r\nHost: a\r\n\r\n", 400 },
		{ "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400 },
		{ "GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
		{ "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405 },
		{ "\x16\x03\x01\x02", 400 },
		{ many, 431 },
		{ large, 431 },
	};

	strcpy(many, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		strcat(many, "A: b\r\n");
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "GET / HTTP/1.1\r\nHost: ", 22);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(rows[i].request, 1000);
		if (rows[i].want == 0)
			UNTIL(asked);
		else
			cr_expect_eq(answer(), rows[i].want, "%s", rows[i].request);
		cr_expect_eq(asked != NULL, rows[i].want == 0);
		finish();
	}
}

Test(http, tells_when_the_client_is_gone_before_its_answer)
{
	ask("GET / HTTP/1.1\r\nHost: a\r\n\r\nmore", 1000);
	UNTIL(asked);
	http_set_owner(asked, &peer);
	cr_assert_eq(http_owner(asked), &peer);
	close(peer);
	UNTIL(gone);
}

Test(http, answers_head_without_a_body)
{
	ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 1000);
	UNTIL(asked);
	http_reply(asked, 200, "X-Own: yes\r\n", "body", 4);
	cr_assert_eq(answer(), 200);
	cr_assert_not_null(strstr(reply, "\r\nX-Own: yes\r\nContent-Length: 4\r\n"));
	cr_assert_str_eq(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
	finish();
}

Test(http, adds_what_a_status_calls_for)
{
	const struct {
		unsigned status;
		const char *header;
	} rows[] = {
		{ 401, "\r\nWWW-Authenticate: Bearer, Basic realm=\"lanyard\"\r\n" },
		{ 405, "\r\nAllow: GET\r\n" },
		{ 426, "\r\nUpgrade: websocket\r\n" },
		{ 503, "\r\nRetry-After: 1\r\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1000);
		UNTIL(asked);
		http_answer(asked, rows[i].status, "Why.");
		cr_assert_eq(answer(), rows[i].status);
		cr_assert_not_null(strstr(reply, rows[i].header), "%s", reply);
		finish();
	}
}
