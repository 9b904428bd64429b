/*
 * we500: the portal API of the Nethix WE500, as its devices speak it: a status in XML, a package in
 * a tar, and a PUT when the package is in use (docs/packages.md). Who asks is told by HTTP Basic
 * with the serial number; every refusal of it looks the same. Runs in workers.
 */
#include "gateway/compat/compat.h"

#include "gateway/admit.h"
#include "gateway/compat/face.h"
#include "gateway/compat/we500_body.h"
#include "gateway/compat/we500_learn.h"
#include "gateway/compat/we500_memory.h"
#include "gateway/compat/we500_seen.h"
#include "gateway/compat/we500_usage.h"
#include "gateway/problem.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "proto/portal.pb-c.h"

#include <sodium.h>

#include <string.h>

#define SERVICE		(&provision__portals__descriptor)
#define VPN_ALLOW	"GET, HEAD, OPTIONS"
#define OVERLOAD_FACTOR 2
#define INTERVAL_MAX	86400
#define PACKET_ALLOW	"GET, HEAD, PUT, OPTIONS"
#define PROLOG		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* ---- replies ---- */

static void send_text(struct api_request *request, enum http_status status, const char *text)
{
	struct http_reply *reply = request->reply;

	reply->status = status;
	reply->content_type = "text/plain; charset=utf-8";
	reply->body = text;
	reply->body_len = strlen(text);
}

static void send_closing(struct api_request *request, enum http_status status, const char *text)
{
	http_reply_add(request->reply, "Connection", "close");
	send_text(request, status, text);
}

/* Devices know no 504. */
static enum http_status status_of(err_t err)
{
	return problem_status(err == ERR_DEADLINE_EXCEEDED ? ERR_UNAVAILABLE : err, "");
}

static void send_refusal(struct api_request *request, err_t err)
{
	enum http_status status = status_of(err);

	if (status == HTTP_UNAUTHORIZED) {
		http_reply_add(request->reply, "WWW-Authenticate",
			"Basic realm=\"vpn\", charset=\"UTF-8\"");
		send_text(request, status, "expected the credentials of a device\n");
		return;
	}
	if (status == HTTP_TOO_MANY_REQUESTS || status == HTTP_UNAVAILABLE)
		http_reply_add(request->reply, "Retry-After", "60");
	if (status == HTTP_INTERNAL_ERROR)
		send_text(request, status, "it is our fault\n");
	else
		send_text(request, status,
			arena_printf(request->call->arena, "%s\n", request->call->fault.detail));
}

/* True if the client has this already: then that is the reply. */
static bool send_unchanged(struct api_request *request, const char *etag)
{
	const char *seen = request->http->headers.if_none_match;

	http_reply_add(request->reply, "ETag", etag);
	if (seen == NULL || strcmp(seen, etag) != 0)
		return false;
	request->reply->status = HTTP_NOT_MODIFIED;
	return true;
}

static const char *package_info(struct arena *arena, const Provision__PortalStatus *status)
{
	if (!status->has_package)
		return "";
	return arena_printf(arena,
		"        <package_info>\n"
		"            <auth_type>%u</auth_type>\n"
		"            <md5_ca_cert>%s</md5_ca_cert>\n"
		"            <md5_client_conf>%s</md5_client_conf>\n"
		"            <md5_ta_key>%s</md5_ta_key>\n"
		"            <md5_credentials>%s</md5_credentials>\n"
		"        </package_info>\n",
		status->auth_type, status->md5_ca_cert, status->md5_client_conf, status->md5_ta_key,
		status->md5_credentials);
}

/* All but the interval, which is another one at each poll. */
static const char *status_etag(struct arena *arena, uint32_t status, const char *info)
{
	unsigned char digest[16];
	char hex[2 * sizeof(digest) + 1];
	const char *text = arena_printf(arena, "%u %s", status, info);

	crypto_generichash(
		digest, sizeof(digest), (const unsigned char *)text, strlen(text), NULL, 0);
	return arena_printf(
		arena, "\"%s\"", sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest)));
}

static void send_status(struct api_request *request, const Provision__PortalStatus *status)
{
	struct arena *arena = request->call->arena;
	const char *info = package_info(arena, status);

	if (send_unchanged(request, status_etag(arena, status->status, info)))
		return;
	send_text(request, HTTP_OK,
		arena_printf(arena,
			"%s"
			"<ntx>\n"
			"    <vpn>\n"
			"        <reconnection_time>%u</reconnection_time>\n"
			"        <status>%u</status>\n"
			"%s"
			"    </vpn>\n"
			"</ntx>\n",
			status->bare_xml ? "" : PROLOG, status->reconnection_time, status->status,
			info));
	request->reply->content_type = "application/xml; charset=utf-8";
}

/* ---- deliveries ---- */

struct delivery {
	const char *tenant;
	Provision__NoteDeliveryRequest request;
};

static struct delivery *delivery_of(
	const struct api_request *request, const Provision__PackageArchive *archive)
{
	struct arena *arena = request->call->arena;
	struct delivery *delivery = arena_alloc(arena, sizeof(*delivery));

	delivery->tenant = archive->tenant;
	provision__note_delivery_request__init(&delivery->request);
	delivery->request.device = archive->device;
	delivery->request.package = archive->package;
	delivery->request.source = (char *)(uintptr_t)request->http->origin;
	return delivery;
}

static err_t note_delivery(struct call *call, void *context)
{
	const struct delivery *delivery = context;
	const ProtobufCMessage *nothing;

	call->tenant = delivery->tenant;
	return bus_call(call, SERVICE, "NoteDelivery", &delivery->request.base, &nothing);
}

/* It is counted as delivered when the device has it; one that had it before has it now. The log
 * knows also whom a part was sent to. */
static void send_package(struct api_request *request, const Provision__PackageArchive *archive)
{
	struct http_reply *reply = request->reply;
	err_t err;

	if (send_unchanged(
		    request, arena_printf(request->call->arena, "\"%s\"", archive->sha256))) {
		if (!request->http->head &&
			(err = note_delivery(request->call, delivery_of(request, archive))) != OK)
			send_refusal(request, err);
		return;
	}
	if (!request->http->head) {
		log_info("package_sent", "tenant=%s device=%s number=%u source=%s", archive->tenant,
			archive->device, archive->package, log_value(request->http->origin));
		reply->arrived = note_delivery;
		reply->context = delivery_of(request, archive);
	}
	http_reply_add(reply, "Content-Disposition", "attachment; filename=\"vpn.tar\"");
	reply->status = HTTP_OK;
	reply->content_type = "application/x-tar";
	reply->body = (const char *)archive->tar.data;
	reply->body_len = archive->tar.len;
}

/* ---- who asks ---- */

/* A request without credentials is a device that waits to be asked for them, and no failure. */
static err_t read_asker(struct api_request *request, Provision__PortalRequest *asker)
{
	struct credentials credentials;
	err_t err = credentials_parse(
		request->call, request->http->headers.authorization, &credentials);

	if (err != OK)
		return err;
	if (credentials.kind != CREDENTIALS_DEVICE)
		return ERR_UNAUTHENTICATED;
	asker->host = request->api->portal_host != NULL
			      ? (char *)(uintptr_t)request->api->portal_host
			      : face_host_name(request);
	asker->serial = (char *)(uintptr_t)credentials.device;
	asker->password = (char *)(uintptr_t)credentials.secret;
	asker->source = (char *)(uintptr_t)request->http->origin;
	return OK;
}

/* Thousands of devices may come from one address, and so may somebody who tries serial numbers. A
 * refusal costs the address; when it has no more to spend, only devices that were believed of late
 * are heard, each within a limit of its own. */
static err_t admit_asker(struct api_request *request, const Provision__PortalRequest *asker)
{
	Provision__PortalStatus status = PROVISION__PORTAL_STATUS__INIT;
	int64_t now_ms = clock_ms();
	bool fine;

	if (we500_memory_find(request->call->arena, asker, now_ms, &status))
		fine = limit_take(request->api->principals, asker->serial, 1, now_ms) == 0;
	else
		fine = limit_take(request->api->guesses, request->http->origin, 0, now_ms) == 0 &&
		       admit_stranger(request, 1) == OK;
	if (fine)
		return OK;
	return call_refuse(request->call, ERR_RESOURCE_EXHAUSTED, "", "expected fewer requests");
}

static err_t ask(struct api_request *request, const char *method, const ProtobufCMessage *message,
	const void **reply)
{
	const ProtobufCMessage *answer = NULL;
	err_t err;

	request->call->tenant = CALL_FLEET;
	err = bus_call(request->call, SERVICE, method, message, &answer);
	if (err == ERR_UNAUTHENTICATED)
		(void)limit_take(request->api->guesses, request->http->origin, 1, clock_ms());
	*reply = answer;
	return err;
}

/* ---- what they ask ---- */

static bool is_away(err_t err)
{
	return err == ERR_UNAVAILABLE || err == ERR_DEADLINE_EXCEEDED ||
	       err == ERR_RESOURCE_EXHAUSTED;
}

/* There is too much to do for now: those who can wait come later. */
static void lengthen(Provision__PortalStatus *status)
{
	uint32_t longer = status->reconnection_time * OVERLOAD_FACTOR;

	status->reconnection_time = longer < INTERVAL_MAX ? longer : INTERVAL_MAX;
}

/* Nothing has changed since the device was told; true if that was the answer. */
static bool answer_fresh(struct api_request *request, const Provision__PortalRequest *asker)
{
	Provision__PortalStatus status = PROVISION__PORTAL_STATUS__INIT;
	bool note;

	if (!we500_memory_fresh(request->call->arena, asker, clock_ms(), &status, &note) ||
		(note && !we500_seen_note(&status, asker->source)))
		return false;
	we500_usage_count(WE500_POLL, OK, false);
	send_status(request, &status);
	return true;
}

static void get_status(struct api_request *request, const Provision__PortalRequest *asker)
{
	Provision__PortalStatus remembered = PROVISION__PORTAL_STATUS__INIT;
	const Provision__PortalStatus *status = &remembered;
	uint64_t changes = we500_memory_changes();
	int64_t now_ms = clock_ms();
	bool from_memory;
	err_t err = admit_asker(request, asker);

	if (err == OK && answer_fresh(request, asker))
		return;
	if (err == OK)
		err = ask(request, "PollPortal", &asker->base, (const void **)&status);
	if (err == OK)
		we500_memory_keep(asker, status, changes, now_ms);
	else if (err == ERR_UNAUTHENTICATED)
		we500_memory_drop(asker);
	from_memory =
		is_away(err) && we500_memory_find(request->call->arena, asker, now_ms, &remembered);
	we500_usage_count(WE500_POLL, err, from_memory);
	if (from_memory) {
		if (err != ERR_UNAVAILABLE)
			lengthen(&remembered);
		status = &remembered;
		err = OK;
	}
	if (err != OK)
		send_refusal(request, err);
	else
		send_status(request, status);
}

/* A device that wants XML of this resource wants its status. */
static bool wants_status(const struct api_request *request)
{
	const char *accept = request->http->headers.accept;

	return accept != NULL && strstr(accept, "xml") != NULL && strstr(accept, "*/*") == NULL &&
	       strstr(accept, "tar") == NULL;
}

static void get_package(struct api_request *request, Provision__PortalRequest *asker)
{
	Provision__FetchPackageRequest message = PROVISION__FETCH_PACKAGE_REQUEST__INIT;
	const Provision__PackageArchive *archive;
	err_t err;

	if (wants_status(request)) {
		get_status(request, asker);
		return;
	}
	message.who = asker;
	if ((err = admit_asker(request, asker)) == OK)
		err = ask(request, "FetchPackage", &message.base, (const void **)&archive);
	we500_usage_count(WE500_PACKET, err, false);
	if (err != OK)
		send_refusal(request, err);
	else if (archive->status_instead)
		get_status(request, asker);
	else
		send_package(request, archive);
}

/* What a device says is taken in words that are known, and in any while its portal learns. */
static err_t put_body(struct api_request *request, const Provision__PortalRequest *asker,
	enum we500_body body, const Provision__PortalStatus **status)
{
	const struct http_request *http = request->http;
	err_t err = admit_asker(request, asker);

	if (err == OK && body != WE500_BODY_ENABLE)
		err = ask(request, "PollPortal", &asker->base, (const void **)status);
	if (err != OK || body == WE500_BODY_OTHER ||
		(body == WE500_BODY_MALFORMED && !(*status)->learn))
		return err;
	if (body == WE500_BODY_MALFORMED)
		we500_learn_note(*status, http->body, http->body_len);
	return ask(request, "AcknowledgePackage", &asker->base, (const void **)status);
}

static void put_package(struct api_request *request, const Provision__PortalRequest *asker)
{
	const struct http_request *http = request->http;
	const Provision__PortalStatus *status;
	enum we500_body body;
	err_t err;

	if (http->body_len > WE500_BODY_MAX) {
		send_closing(request, HTTP_CONTENT_TOO_LARGE, "the body is too large\n");
		return;
	}
	body = we500_body_read(http->body, http->body_len);
	err = put_body(request, asker, body, &status);
	we500_usage_count(WE500_ACKNOWLEDGE, err, false);
	if (err != OK)
		send_refusal(request, err);
	else if (body == WE500_BODY_MALFORMED && !status->learn)
		send_text(request, HTTP_BAD_REQUEST,
			"expected no body, XML with one element status, or status=2\n");
	else
		send_status(request, status);
}

/* ---- the paths ---- */

static bool is_path(const struct target *target, const char *const segments[], size_t n)
{
	if (target->n_segments != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(target->segments[i], segments[i]) != 0)
			return false;
	return true;
}

static void serve(struct api_request *request, bool is_packet)
{
	Provision__PortalRequest asker = PROVISION__PORTAL_REQUEST__INIT;
	const char *method = request->http->method;
	bool is_get = strcmp(method, "GET") == 0, is_put = strcmp(method, "PUT") == 0;
	const char *allow = is_packet ? PACKET_ALLOW : VPN_ALLOW;
	err_t err;

	if (strcmp(method, "OPTIONS") == 0) {
		http_reply_add(request->reply, "Allow", allow);
		send_text(request, HTTP_OK, "");
	} else if (!is_get && !(is_put && is_packet)) {
		http_reply_add(request->reply, "Allow", allow);
		send_text(request, HTTP_METHOD_NOT_ALLOWED, "not with this method\n");
	} else if (is_packet && request->api->plain) {
		send_refusal(request, ERR_UNAUTHENTICATED); /* a package is never sent in clear */
	} else if ((err = read_asker(request, &asker)) != OK) {
		send_refusal(request, err);
	} else if (!is_packet) {
		get_status(request, &asker);
	} else if (is_get) {
		get_package(request, &asker);
	} else {
		put_package(request, &asker);
	}
}

enum resource { NOT_OURS, VPN, PACKET };

static enum resource find_resource(const struct api_request *request)
{
	static const char *const vpn[] = { "api", "v1", "vpn" };
	static const char *const misprint[] = { "api", "vi", "vpn" }; /* in the device's manual */
	static const char *const packet[] = { "api", "v1", "vpn", "packet" };
	struct target target = request->target;

	/* A slash at the end makes one more segment, which is empty. */
	if (request->api->portal_aliases && target.n_segments > 0 &&
		target.segments[target.n_segments - 1][0] == '\0')
		target.n_segments--;
	if (is_path(&target, packet, ARRAY_LEN(packet)))
		return PACKET;
	return is_path(&target, vpn, ARRAY_LEN(vpn)) ||
			       (request->api->portal_aliases &&
				       is_path(&target, misprint, ARRAY_LEN(misprint)))
		       ? VPN
		       : NOT_OURS;
}

bool we500_serve_busy(struct api_request *request)
{
	Provision__PortalRequest asker = PROVISION__PORTAL_REQUEST__INIT;
	Provision__PortalStatus status = PROVISION__PORTAL_STATUS__INIT;

	if (find_resource(request) != VPN || strcmp(request->http->method, "GET") != 0 ||
		read_asker(request, &asker) != OK ||
		!we500_memory_find(request->call->arena, &asker, clock_ms(), &status))
		return false;
	lengthen(&status);
	we500_usage_count(WE500_POLL, ERR_RESOURCE_EXHAUSTED, true);
	send_status(request, &status);
	return true;
}

bool we500_serve(struct api_request *request)
{
	enum resource resource = find_resource(request);

	if (resource != NOT_OURS)
		serve(request, resource == PACKET);
	return resource != NOT_OURS;
}
