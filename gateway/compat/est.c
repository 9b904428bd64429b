/*
 * est: enrolment over secure transport (RFC 7030, as RFC 8951 clarifies it), for standard clients.
 * Devices log in by HTTP Basic with their id and secret, or on a port of LANYARD_EST_LISTEN by the
 * certificate that they have. The optional label of a path is the
 * tenant's id; with it anybody may ask what to trust. Runs in workers.
 */
#include "gateway/compat/face.h"

#include "gateway/api/tables.h"
#include "lib/check.h"
#include "proto/auth.pb-c.h"
#include "proto/est.pb-c.h"

#include <string.h>

#define RETRY_S	     "300" /* until an operator may have approved the device */
#define CERTIFICATES "application/pkcs7-mime; smime-type=certs-only"

/* DER of the sequence { id-ecPublicKey { prime256v1 }, ecdsa-with-SHA256 }: what to make a key of.
 */
#define ATTRIBUTES "MCEwFQYHKoZIzj0CATEKBggqhkjOPQMBBwYIKoZIzj0EAwI="

static void send(struct api_request *request, const char *type, const char *body)
{
	http_reply_add(request->reply, "Content-Transfer-Encoding", "base64");
	face_reply(request, HTTP_OK, type, body);
}

/* The label, if there is one, is that of the caller's tenant. */
static err_t check_label_own(const struct api_request *request)
{
	const char *label = route_parameter(&request->match, "label");

	if (label == NULL || strcmp(label, request->caller.tenant) == 0)
		return OK;
	return call_refuse(request->call, ERR_NOT_FOUND, "", "there is nothing at this path");
}

/* Nobody is asked who he is here, so the tenant has to exist: its authorities are made when they
 * are first asked for. */
static err_t check_label_open(const struct api_request *request)
{
	struct call *call = request->call;
	const char *label = route_parameter(&request->match, "label");
	Auth__Ref ref = AUTH__REF__INIT;
	const ProtobufCMessage *tenant;

	if (check_uuid(call, "label", label) != OK)
		return call_refuse(call, ERR_NOT_FOUND, "", "there is nothing at this path");
	call->tenant = label;
	return bus_call(call, &auth__auth__descriptor, "GetTenant", &ref.base, &tenant);
}

static err_t cacerts(struct api_request *request)
{
	Provision__Empty message = PROVISION__EMPTY__INIT;
	const ProtobufCMessage *reply;
	err_t err = api_call(request, &message.base, &reply);

	if (err == OK)
		send(request, CERTIFICATES, ((const Provision__EstReply *)reply)->body);
	return err;
}

static err_t cacerts_open(struct api_request *request)
{
	err_t err = check_label_open(request);

	return err == OK ? cacerts(request) : err;
}

static err_t csrattrs(struct api_request *request)
{
	send(request, "application/csrattrs", ATTRIBUTES "\n");
	return OK;
}

static err_t enrol(struct api_request *request, bool renew)
{
	static const char prefix[] = "device:";
	Provision__EstEnrolRequest message = PROVISION__EST_ENROL_REQUEST__INIT;
	const struct http_request *http = request->http;
	const char *subject = request->caller.subject;
	const Provision__EstReply *answer;
	const ProtobufCMessage *reply;
	err_t err;

	if (strncmp(subject, prefix, strlen(prefix)) != 0)
		return call_refuse(request->call, ERR_PERMISSION_DENIED, "", "this is for devices");
	message.device = (char *)(uintptr_t)(subject + strlen(prefix));
	if (http->body_len == 0 || memchr(http->body, '\0', http->body_len) != NULL)
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "csr",
			"expected a PKCS #10 request in base64");
	message.csr = arena_strndup(request->call->arena, http->body, http->body_len);
	message.renew = renew;
	if ((err = check_label_own(request)) != OK ||
		(err = api_call(request, &message.base, &reply)) != OK)
		return err;
	answer = (const Provision__EstReply *)reply;
	if (!answer->pending) {
		send(request, CERTIFICATES, answer->body);
		return OK;
	}
	http_reply_add(request->reply, "Retry-After", RETRY_S);
	face_reply(request, HTTP_ACCEPTED, "text/plain; charset=utf-8",
		"an operator has to approve this device\n");
	return OK;
}

static err_t simpleenroll(struct api_request *request)
{
	return enrol(request, false);
}

static err_t simplereenroll(struct api_request *request)
{
	return enrol(request, true);
}

/* clang-format off */
#define EST	 "/.well-known/est"
#define SERVICE	 &provision__est__descriptor
#define OWN	 "certificates:own"
#define OURS	 (ROUTE_BASIC | ROUTE_CERTIFICATE)
#define KINDS	 (ROUTE_PKCS10 | OURS)

const struct route est_routes[] = {
	ROUTE("GET", EST "/cacerts", OWN, "GetEstAuthorities", .flags = OURS, .handler = cacerts),
	ROUTE("GET", EST "/csrattrs", NULL, NULL, .handler = csrattrs),
	ROUTE("POST", EST "/simpleenroll", OWN, "EstEnrol", .flags = KINDS, .handler = simpleenroll),
	ROUTE("POST", EST "/simplereenroll", OWN, "EstEnrol", .flags = KINDS, .handler = simplereenroll),
	ROUTE("GET", EST "/{label}/cacerts", NULL, "GetEstAuthorities", .handler = cacerts_open),
	ROUTE("GET", EST "/{label}/csrattrs", NULL, NULL, .handler = csrattrs),
	ROUTE("POST", EST "/{label}/simpleenroll", OWN, "EstEnrol", .flags = KINDS, .handler = simpleenroll),
	ROUTE("POST", EST "/{label}/simplereenroll", OWN, "EstEnrol", .flags = KINDS, .handler = simplereenroll),
	{ .method = NULL },
};
/* clang-format on */
