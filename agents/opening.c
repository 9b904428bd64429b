/* opening: see opening.h. */
#include "agents/opening.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/ws.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define TIMEOUT_MS    15000	   /* from the first packet to the handshake's reply */
#define NOTSENT_LOWAT (16 * 1024) /* more than this waits in our queue, not in the kernel's */
/* TCP waits for an acknowledgement from the first ping on, which goes out after some silence. */
#define TCP_DEAD_MS (KEEPALIVE_DEAD_MS - KEEPALIVE_PING_MS)
#define SAYS_MAX    160 /* of the node's own words in a refusal */

struct opening {
	struct opening_options options;
	enum { CONNECTING, SECURING, ASKING, OPENED, FAILED } state;
	struct fetch *fetch; /* CONNECTING */
	struct carrier *carrier;
	struct loop_watch socket;
	struct loop_timer timer; /* too late, or: the report */
	char key[WS_KEY_SIZE];
	char head[UPGRADE_HEAD_MAX]; /* the handshake's reply so far */
	size_t head_len;
	struct opened opened;
	struct opening_failure failure;
};

/* ---- the end ---- */

/* Lets go of the socket. The timer brings the report, so that whoever called us may go on. */
static void report(struct opening *opening)
{
	struct loop *loop = opening->options.loop;

	if (opening->carrier != NULL)
		loop_remove(loop, &opening->socket);
	loop_set_timer(loop, &opening->timer, clock_ms());
}

static void fail(struct opening *opening, struct ending ending, const char *why)
{
	if (opening->state == FAILED)
		return;
	opening->state = FAILED;
	opening->failure.ending = ending;
	snprintf(opening->failure.why, sizeof(opening->failure.why), "%s", why);
	fetch_cancel(opening->fetch);
	opening->fetch = NULL;
	report(opening);
}

static void unreachable(struct opening *opening, const char *why)
{
	fail(opening, (struct ending){ .how = END_UNREACHABLE }, why);
}

/* ---- TLS and the handshake ---- */

/* The status of a refusal and, where they came with it, the node's words: one line of plain text.
 */
static void refused(struct opening *opening, const struct upgrade *upgrade)
{
	const char *text = opening->head + upgrade->head_len;
	size_t len = 0, most = opening->head_len - upgrade->head_len;
	char why[64 + SAYS_MAX];

	while (len < most && len < SAYS_MAX && text[len] >= ' ' && text[len] <= '~')
		len++;
	if (len > 0 && (*text == '<' || *text == '{'))
		len = 0;
	snprintf(why, sizeof(why), "the node refused with HTTP status %u%s%.*s", upgrade->status,
		len > 0 ? ": " : "", (int)len, text);
	memcpy(opening->failure.location, upgrade->location, sizeof(upgrade->location));
	fail(opening, (struct ending){ .how = END_REFUSED, .status = upgrade->status }, why);
}

static void take_reply(struct opening *opening)
{
	struct upgrade upgrade;
	struct fault fault;

	switch (upgrade_read(
		&upgrade, opening->head, opening->head_len, &opening->options.request, &fault)) {
	case OK:
		break;
	case ERR_OUT_OF_RANGE:
		return;
	default:
		unreachable(opening, fault.detail);
		return;
	}
	if (upgrade.status == 101) {
		opening->state = OPENED;
		opening->opened = (struct opened){
			.carrier = opening->carrier,
			.fd = opening->socket.fd,
			.protocol = upgrade.protocol,
			.rest = opening->head + upgrade.head_len,
			.rest_len = opening->head_len - upgrade.head_len,
		};
		report(opening);
		return;
	}
	refused(opening, &upgrade);
}

static void read_reply(struct opening *opening)
{
	enum tls_result result = TLS_OK;
	size_t n;

	while (result == TLS_OK && opening->state == ASKING) {
		result =
			carrier_read(opening->carrier, (uint8_t *)opening->head + opening->head_len,
				sizeof(opening->head) - opening->head_len, &n);
		if (result == TLS_OK) {
			opening->head_len += n;
			take_reply(opening);
		}
	}
	if (opening->state != ASKING)
		return;
	if (result == TLS_CLOSED)
		unreachable(opening, "the node ended the connection during the handshake");
	else if (result == TLS_FAILED)
		unreachable(opening, carrier_why(opening->carrier));
}

/* The request is smaller than a fresh socket's buffer: it is sent whole, or the connection is bad.
 */
static void ask(struct opening *opening)
{
	char request[UPGRADE_REQUEST_MAX];
	size_t n, len;

	ws_key(opening->key);
	len = upgrade_write(request, &opening->options.request);
	opening->state = ASKING;
	if (carrier_write(opening->carrier, (uint8_t *)request, len, &n) != TLS_OK ||
		carrier_flush(opening->carrier) != TLS_OK) {
		unreachable(opening, "the handshake's request can't be sent");
		return;
	}
	loop_change(opening->options.loop, &opening->socket, EPOLLIN);
	read_reply(opening);
}

static void secure(struct opening *opening)
{
	switch (carrier_handshake(opening->carrier)) {
	case TLS_OK:
		ask(opening);
		break;
	case TLS_READ:
		loop_change(opening->options.loop, &opening->socket, EPOLLIN);
		break;
	case TLS_WRITE:
		loop_change(opening->options.loop, &opening->socket, EPOLLOUT);
		break;
	case TLS_CLOSED:
		unreachable(opening, "the node ended the connection during the TLS handshake");
		break;
	case TLS_FAILED:
		unreachable(opening, carrier_why(opening->carrier));
		break;
	}
}

static void on_socket(void *context, uint32_t events)
{
	struct opening *opening = context;

	(void)events;
	if (opening->state == SECURING)
		secure(opening);
	else
		read_reply(opening);
}

/* ---- the connection ---- */

/* Only hints: a kernel without one of them works as well, if not as fast. */
static void tune_socket(int fd)
{
	int on = 1, lowat = NOTSENT_LOWAT, timeout_ms = TCP_DEAD_MS;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
}

static void on_connected(void *context, int fd, const struct fault *fault)
{
	struct opening *opening = context;
	const struct url *url = opening->options.request.url;

	opening->fetch = NULL;
	if (fd < 0) {
		unreachable(opening, fault->detail);
		return;
	}
	tune_socket(fd);
	congestion_begin(opening->options.congestion, fd);
	opening->carrier =
		carrier_create(fd, url_is_secure(url) ? opening->options.trust : NULL, url->host);
	opening->socket.fd = fd;
	opening->state = SECURING;
	loop_add(opening->options.loop, &opening->socket, EPOLLOUT);
	secure(opening);
}

/* ---- life ---- */

static void on_timer(void *context)
{
	struct opening *opening = context;
	struct opened opened = opening->opened;

	switch (opening->state) {
	case OPENED:
		opening->carrier = NULL;
		opening->options.opened(opening->options.context, &opened);
		break;
	case FAILED:
		opening->options.failed(opening->options.context, &opening->failure);
		break;
	default:
		unreachable(opening, "the node did not answer in 15 s");
		break;
	}
}

struct opening *opening_create(const struct opening_options *options)
{
	struct opening *opening = xcalloc(1, sizeof(*opening));

	opening->options = *options;
	opening->options.request.key = opening->key;
	opening->socket = (struct loop_watch){ -1, on_socket, opening };
	opening->timer = (struct loop_timer){ .fire = on_timer, .context = opening };
	loop_set_timer(options->loop, &opening->timer, clock_ms() + TIMEOUT_MS);
	opening->fetch =
		fetch_connect(options->fetcher, options->request.url, on_connected, opening);
	return opening;
}

void opening_destroy(struct opening *opening)
{
	if (opening == NULL)
		return;
	if (opening->carrier != NULL && opening->state < OPENED)
		loop_remove(opening->options.loop, &opening->socket);
	loop_clear_timer(opening->options.loop, &opening->timer);
	fetch_cancel(opening->fetch);
	carrier_destroy(opening->carrier);
	free(opening);
}
