/* registration_holder: what the holder of a name tells and asks, and (2017) how neighbours find it.
 * In workers. */
#include "gateway/compat/registration.h"

#include "lib/json.h"
#include "proto/dns.pb-c.h"

#include <string.h>

/* ---- holding it ---- */

static err_t contact(struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__ContactRequest message = DNS__CONTACT_REQUEST__INIT;

	message.token = parameters->token;
	message.origin = (char *)(uintptr_t)face_address(request);
	if (!registration_is_missing(parameters->local_ip)) {
		message.set_local_ip_case = DNS__CONTACT_REQUEST__SET_LOCAL_IP_LOCAL_IP;
		message.local_ip = parameters->local_ip;
	}
	if (!registration_is_missing(parameters->accounturi)) {
		message.set_account_case = DNS__CONTACT_REQUEST__SET_ACCOUNT_ACCOUNT;
		message.account = parameters->accounturi;
	}
	return registration_run(request, "Contact", &message.base, HTTP_NOT_FOUND);
}

/* Names near the caller, as an array without an object around it. */
static err_t near(struct api_request *request, const char *discovery)
{
	Dns__NearRequest message = DNS__NEAR_REQUEST__INIT;
	const ProtobufCMessage *reply;
	const Dns__NearList *list;
	const char *text = "[";
	err_t err;

	message.host = (char *)(uintptr_t)face_host(request);
	message.origin = (char *)(uintptr_t)face_address(request);
	message.discovery = (char *)(uintptr_t)discovery;
	if ((err = face_dns(request, "ListNear", &message.base, &reply)) != OK) {
		registration_reply_error(request, err, HTTP_BAD_REQUEST);
		return OK;
	}
	list = (const Dns__NearList *)reply;
	for (size_t i = 0; i < list->n_items; i++)
		text = arena_printf(request->call->arena, "%s%s%s", text, i > 0 ? "," : "",
			json_write(request->call->arena, &list->items[i]->base, NULL));
	face_reply(request, HTTP_OK, "application/json",
		arena_printf(request->call->arena, "%s]", text));
	return OK;
}

err_t registration_ping(struct api_request *request, const registration_parameters_t *parameters)
{
	if (!registration_is_missing(parameters->token))
		return contact(request, parameters);
	if (request->api->names_2017)
		return near(request, "");
	registration_reply_missing(request, "token");
	return OK;
}

err_t registration_report(struct api_request *request, const registration_parameters_t *parameters)
{
	if (registration_is_missing(parameters->token) ||
		registration_is_missing(parameters->local_ip)) {
		registration_reply_missing(
			request, registration_is_missing(parameters->token) ? "token" : "local_ip");
		return OK;
	}
	return contact(request, parameters);
}

err_t registration_info(struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__TokenRef message = DNS__TOKEN_REF__INIT;
	const ProtobufCMessage *reply;
	err_t err;

	message.token = parameters->token;
	if (registration_is_missing(parameters->token)) {
		registration_reply_missing(request, "token");
	} else if ((err = face_dns(request, "GetHolding", &message.base, &reply)) != OK) {
		registration_reply_error(request, err, HTTP_NOT_FOUND);
	} else {
		Gateway__NameInfo answer = GATEWAY__NAME_INFO__INIT;
		const Dns__Holding *holding = (const Dns__Holding *)reply;

		answer.token = parameters->token;
		answer.name = holding->name;
		answer.remote_name = arena_printf(request->call->arena, "%s.", holding->name);
		answer.local_name = arena_printf(request->call->arena, "local.%s.", holding->name);
		answer.description = holding->description;
		answer.email = holding->email;
		answer.verified = holding->verified;
		answer.timestamp = holding->seen_at;
		answer.expire_s = holding->expire_s;
		answer.n_tunnel_urls = holding->n_tunnel_urls;
		answer.tunnel_urls = holding->tunnel_urls;
		answer.mode = strcmp(holding->kind, "dynamic") == 0 ? 1 : 0;
		answer.last_ip = answer.public_ip = holding->public_ip;
		answer.local_ip = holding->n_local_ips > 0 ? holding->local_ips[0] : "";
		answer.dns_challenge = holding->n_challenges > 0
					       ? holding->challenges[holding->n_challenges - 1]
					       : "";
		face_reply_json(request, HTTP_OK, &answer.base);
	}
	return OK;
}

err_t registration_dnsconfig(
	struct api_request *request, const registration_parameters_t *parameters)
{
	Dns__ChallengeRequest message = DNS__CHALLENGE_REQUEST__INIT;

	if (registration_is_missing(parameters->token) ||
		registration_is_missing(parameters->challenge)) {
		registration_reply_missing(request,
			registration_is_missing(parameters->token) ? "token" : "challenge");
		return OK;
	}
	message.token = parameters->token;
	message.value = parameters->challenge;
	return registration_run(request, "SetChallenge", &message.base, HTTP_NOT_FOUND);
}

/* ---- discovery (2017) ---- */

static err_t set_discovery(
	struct api_request *request, const registration_parameters_t *parameters, bool remove)
{
	Dns__DiscoveryRequest message = DNS__DISCOVERY_REQUEST__INIT;

	message.token = parameters->token;
	message.word = parameters->disco;
	message.remove = remove;
	return registration_run(request, "SetDiscovery", &message.base, HTTP_BAD_REQUEST);
}

err_t registration_adddiscovery(
	struct api_request *request, const registration_parameters_t *parameters)
{
	return set_discovery(request, parameters, false);
}

err_t registration_revokediscovery(
	struct api_request *request, const registration_parameters_t *parameters)
{
	return set_discovery(request, parameters, true);
}

err_t registration_discovery(
	struct api_request *request, const registration_parameters_t *parameters)
{
	if (*parameters->disco == '\0') {
		registration_reply_missing(request, "disco");
		return OK;
	}
	return near(request, parameters->disco);
}
