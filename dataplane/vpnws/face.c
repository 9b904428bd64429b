/*
 * face: see face.h.
 */
#include "dataplane/vpnws/face.h"

#include "dataplane/net/channel.h"
#include "dataplane/net/http.h"
#include "dataplane/switch/session.h"
#include "dataplane/vpnws/control.h"
#include "dataplane/vpnws/peer.h"
#include "dataplane/vpnws/uwsgi.h"
#include "dataplane/vpnws/vpnws.h"
#include "lib/l2.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <string.h>

static void refuse(struct stream *stream, unsigned status, const char *why)
{
	LOG_THROTTLED(LOG_LEVEL_WARN, "peer_refused", "status=%u why=%s address=%s", status,
		log_value(why), log_value(stream_address(stream)));
	http_answer(http_create(stream, NULL, NULL), status, why);
}

static void answer_control(
	struct vpnws *vpnws, struct stream *stream, const struct uwsgi_request *request)
{
	AUTO_FREE char *list = NULL;
	const char *reply;
	uint32_t id;

	if (control_is_kill(request->query, &id))
		reply = control_killed(vpnws_kill(vpnws, id));
	else
		reply = list = vpnws_list(vpnws);
	http_send(http_create(stream, NULL, NULL), reply);
}

/* The proxy has told who the client is; what follows is WebSocket. */
static void become_session(
	struct vpnws *vpnws, struct stream *stream, const struct uwsgi_request *request)
{
	bool batches = http_list_has(request->protocols, L2_PROTOCOL);
	const struct channel_options options = {
		.protocol = batches ? L2_PROTOCOL : NULL,
		.quiet_ms = batches ? 0 : CHANNEL_QUIET_MS,
	};
	const struct peer_rules *rules = vpnws_rules(vpnws);
	struct token_claims claims;
	struct channel *channel;
	const char *why;
	unsigned status;

	if (*request->key == '\0') {
		refuse(stream, 400, "This is a WebSocket endpoint: Sec-WebSocket-Key is missing.");
		return;
	}
	if ((status = peer_claims(&claims, rules, request, &why)) != 0) {
		refuse(stream, status, why);
		return;
	}
	if (!batches)
		stream_set_quick_ack(stream);
	channel = channel_create(stream, request->key, &options);
	session_create(vpnws_sessions(vpnws), channel, &claims, "", batches);
	session_set_names(channel, request->user, request->dn);
	channel_open(channel);
}

static void refuse_packet(struct stream *stream, err_t err, const char *field)
{
	AUTO_FREE char *why = *field == '\0'
				      ? xstrdup("The uwsgi packet is malformed.")
				      : xasprintf("The variable %s is %s.", field,
						err == ERR_OUT_OF_RANGE ? "too long" : "no text");

	refuse(stream, err == ERR_OUT_OF_RANGE ? 431 : 400, why);
}

static size_t on_received(struct stream *stream, const struct stream_bytes *bytes)
{
	struct vpnws *vpnws = stream_owner(stream);
	size_t len = uwsgi_packet_len(bytes->data, bytes->len);
	struct uwsgi_request request;
	const char *field;
	err_t err;

	if (len == 0 || len > bytes->len)
		return 0;
	err = uwsgi_parse(bytes->data, len, &request, &field);
	if (*request.address != '\0')
		stream_set_address(stream, request.address);
	if (err != OK)
		refuse_packet(stream, err, field);
	else if (request.modifier1 == UWSGI_CONTROL)
		answer_control(vpnws, stream, &request);
	else
		become_session(vpnws, stream, &request);
	return len;
}

static void on_closed(struct stream *stream)
{
	(void)stream;
}

static const struct stream_face stream_face = {
	.received = on_received,
	.closed = on_closed,
};

void face_accept(struct vpnws *vpnws, struct stream *stream)
{
	stream_set_face(stream, &stream_face, vpnws);
}
