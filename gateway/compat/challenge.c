/*
 * challenge: how ACME clients set DNS-01 challenges by themselves: lego's httpreq (Basic
 * NAME:TOKEN) and the API of acme-dns. The name's token is the password of both.
 */
#include "gateway/compat/face.h"

#include "lib/json.h"
#include "lib/uuid.h"
#include "proto/dns.pb-c.h"
#include "proto/gateway.pb-c.h"

#include <string.h>

/* Of a token that is nobody's, or another name's, these clients hear that they are not who they
 * say.
 */
static err_t as_unauthenticated(struct api_request *request, err_t err)
{
	if (err != ERR_NOT_FOUND && err != ERR_PERMISSION_DENIED)
		return err;
	return call_refuse(request->call, ERR_UNAUTHENTICATED, "", "expected the name's token");
}

/* ---- httpreq ---- */

static err_t set(struct api_request *request, bool remove)
{
	Gateway__HttpReq body = GATEWAY__HTTP_REQ__INIT;
	Dns__ChallengeRequest message = DNS__CHALLENGE_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const char *user, *password;
	err_t err;

	if ((err = json_read(request->call, request->http->body, request->http->body_len, NULL,
		     &body.base)) != OK)
		return err;
	if (*body.fqdn == '\0' || *body.value == '\0')
		return call_refuse(
			request->call, ERR_INVALID_ARGUMENT, "value", "expected fqdn and value");
	if (!face_basic(request, &user, &password))
		return call_refuse(request->call, ERR_UNAUTHENTICATED, "", "expected Basic");
	message.token = (char *)(uintptr_t)password;
	message.name = body.fqdn;
	message.value = body.value;
	message.remove = remove;
	err = face_dns(request, "SetChallenge", &message.base, &reply);
	if (err == OK)
		face_reply(request, HTTP_OK, NULL, NULL);
	return as_unauthenticated(request, err);
}

static err_t on_present(struct api_request *request)
{
	return set(request, false);
}

static err_t on_cleanup(struct api_request *request)
{
	return set(request, true);
}

/* ---- acme-dns ---- */

/* Each account is a name of its own, which nobody has to remember. */
static err_t on_register(struct api_request *request)
{
	Gateway__AcmeDnsRegister body = GATEWAY__ACME_DNS_REGISTER__INIT;
	Gateway__AcmeDnsAccount account = GATEWAY__ACME_DNS_ACCOUNT__INIT;
	Dns__SubscribeRequest message = DNS__SUBSCRIBE_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Dns__Subscription *subscription;
	char name[UUID_SIZE];
	err_t err = OK;

	if (request->http->body_len > 0)
		err = json_read(request->call, request->http->body, request->http->body_len, NULL,
			&body.base);
	if (err != OK)
		return err;
	if (body.n_allowfrom > 0)
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "allowfrom",
			"expected no list of addresses: it is not offered");
	uuid_new(name);
	message.host = (char *)(uintptr_t)face_host(request);
	message.name = name;
	message.kind = "challenge";
	message.origin = (char *)(uintptr_t)face_address(request);
	if ((err = face_dns(request, "Subscribe", &message.base, &reply)) != OK)
		return err;
	subscription = (const Dns__Subscription *)reply;
	account.username = account.subdomain = subscription->name;
	account.password = subscription->token;
	account.fulldomain = subscription->full_name;
	face_reply_json(request, HTTP_CREATED, &account.base);
	return OK;
}

static err_t on_update(struct api_request *request)
{
	const struct headers *headers = &request->http->headers;
	Gateway__AcmeDnsUpdate body = GATEWAY__ACME_DNS_UPDATE__INIT;
	Gateway__AcmeDnsTxt done = GATEWAY__ACME_DNS_TXT__INIT;
	Dns__ChallengeRequest message = DNS__CHALLENGE_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if ((err = json_read(request->call, request->http->body, request->http->body_len, NULL,
		     &body.base)) != OK)
		return err;
	if (headers->api_user == NULL || headers->api_key == NULL ||
		strcmp(headers->api_user, body.subdomain) != 0)
		return as_unauthenticated(request, ERR_NOT_FOUND);
	if (*body.txt == '\0')
		return call_refuse(request->call, ERR_INVALID_ARGUMENT, "txt", "expected a value");
	message.token = (char *)(uintptr_t)headers->api_key;
	message.label = body.subdomain;
	message.value = body.txt;
	if ((err = face_dns(request, "SetChallenge", &message.base, &reply)) != OK)
		return as_unauthenticated(request, err);
	done.txt = body.txt;
	face_reply_json(request, HTTP_OK, &done.base);
	return OK;
}

/* clang-format off */
const struct route challenge_routes[] = {
	{ "POST", "/present", .handler = on_present },
	{ "POST", "/cleanup", .handler = on_cleanup },
	{ "POST", "/register", .handler = on_register, .flags = ROUTE_COSTLY },
	{ "POST", "/update", .handler = on_update },
	{ .method = NULL },
};
/* clang-format on */
