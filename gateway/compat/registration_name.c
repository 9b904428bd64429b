/* registration_name: getting a name, giving it up, and the mail of its holder. In workers. */
#include "gateway/compat/registration.h"

#include "proto/dns.pb-c.h"

#include <string.h>

#define HTML "text/html; charset=utf-8"

/* ---- getting a name ---- */

static bool read_mode(const char *mode, const char **kind)
{
	static const struct {
		const char *mode, *kind;
	} modes[] = { { "", "tunnel" }, { "0", "tunnel" }, { "Tunneled", "tunnel" },
		{ "1", "dynamic" }, { "DynamicDNS", "dynamic" } };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(mode, modes[i].mode) == 0) {
			*kind = modes[i].kind;
			return true;
		}
	return false;
}

static void reply_subscribe_error(struct api_request *request, err_t err)
{
	const char *field = request->call->fault.field;

	if (err == ERR_ALREADY_EXISTS && strcmp(field, "email") == 0)
		registration_reply_word(request, "UnavailableNameReclamationPossible");
	else if (err == ERR_ALREADY_EXISTS ||
		 (err == ERR_INVALID_ARGUMENT && strcmp(field, "name") == 0))
		registration_reply_word(request, "UnavailableName");
	else if (err == ERR_PERMISSION_DENIED && strcmp(field, "reclamation_token") == 0)
		registration_reply_word(request, "ReclamationTokenMismatch");
	else
		registration_reply_error(request, err, HTTP_NOT_FOUND);
}

err_t registration_subscribe(
	struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__SubscribeRequest message = DNS__SUBSCRIBE_REQUEST__INIT;
	Gateway__NameToken answer = GATEWAY__NAME_TOKEN__INIT;
	const ProtobufCMessage *reply;
	const char *kind;
	err_t err;

	if (registration_is_missing(parameters->name)) {
		registration_reply_missing(request, "name");
		return OK;
	}
	if (!read_mode(parameters->mode, &kind)) {
		registration_reply_missing(request, "mode");
		return OK;
	}
	message.host = (char *)(uintptr_t)face_host(request);
	message.name = parameters->name;
	message.description = parameters->desc;
	message.email = parameters->email;
	message.reclamation_token = parameters->reclamationtoken;
	message.kind = (char *)(uintptr_t)kind;
	message.origin = (char *)(uintptr_t)face_address(request);
	message.keep_case = request->api->names_2017;
	if ((err = face_dns(request, "Subscribe", &message.base, &reply)) != OK) {
		reply_subscribe_error(request, err);
		return OK;
	}
	answer.name = ((const Dns__Subscription *)reply)->name;
	answer.token = ((const Dns__Subscription *)reply)->token;
	face_reply_json(request, HTTP_OK, &answer.base);
	return OK;
}

err_t registration_reclaim(struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__ReclaimRequest message = DNS__RECLAIM_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	if (registration_is_missing(parameters->name)) {
		registration_reply_missing(request, "name");
		return OK;
	}
	message.host = (char *)(uintptr_t)face_host(request);
	message.name = parameters->name;
	err = face_dns(request, "Reclaim", &message.base, &reply);
	if (err == OK)
		registration_reply_empty(request, HTTP_OK);
	else if (err == ERR_NOT_FOUND)
		registration_reply_word(request, "NoSuchName");
	else if (err == ERR_FAILED_PRECONDITION)
		registration_reply_word(request, "NoEmail");
	else
		registration_reply_error(request, err, HTTP_NOT_FOUND);
	return OK;
}

err_t registration_unsubscribe(
	struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__ReleaseRequest message = DNS__RELEASE_REQUEST__INIT;
	bool by_token = !registration_is_missing(parameters->token);

	if (!by_token && registration_is_missing(parameters->reclamationtoken)) {
		registration_reply_missing(request, "token");
		return OK;
	}
	message.token = parameters->token;
	message.reclamation_token = parameters->reclamationtoken;
	return registration_run(
		request, "Release", &message.base, by_token ? HTTP_BAD_REQUEST : HTTP_NOT_FOUND);
}

/* ---- mail ---- */

err_t registration_setemail(
	struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__EmailRequest message = DNS__EMAIL_REQUEST__INIT;

	if (registration_is_missing(parameters->token) ||
		registration_is_missing(parameters->email)) {
		registration_reply_missing(
			request, registration_is_missing(parameters->token) ? "token" : "email");
		return OK;
	}
	message.token = parameters->token;
	message.email = parameters->email;
	message.optout = strcmp(parameters->optout, "1") == 0;
	return registration_run(request, "SetEmail", &message.base, HTTP_NOT_FOUND);
}

#define PAGE(title, text)                                                                          \
	"<!doctype html><html lang=en><meta charset=utf-8><title>" title "</title><h1>" title      \
	"</h1><p>" text "</html>\n"

err_t registration_verifyemail(
	struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__VerifyRequest message = DNS__VERIFY_REQUEST__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.secret = parameters->s;
	if (registration_is_missing(parameters->s)) {
		registration_reply_missing(request, "s");
	} else if ((err = face_dns(request, "VerifyEmail", &message.base, &reply)) == OK) {
		face_reply(request, HTTP_OK, HTML,
			PAGE("Thank you", "Your mail address is confirmed."));
	} else if (err == ERR_NOT_FOUND) {
		face_reply(request, request->api->names_2017 ? HTTP_OK : HTTP_NOT_FOUND, HTML,
			PAGE("This link is not good any more",
				"It was used, or is older than a day. Ask for another one."));
	} else {
		registration_reply_error(request, err, HTTP_NOT_FOUND);
	}
	return OK;
}

err_t registration_revokeemail(
	struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__TokenRef message = DNS__TOKEN_REF__INIT;

	if (registration_is_missing(parameters->token)) {
		registration_reply_missing(request, "token");
		return OK;
	}
	message.token = parameters->token;
	return registration_run(request, "RevokeEmail", &message.base, HTTP_NOT_FOUND);
}
