/*
 * registration: the API by which a device gets a name: parameters and routes in registration.c, the
 * methods in registration_name.c and registration_holder.c. For them only.
 */
#pragma once

#include "gateway/compat/face.h"
#include "proto/gateway.pb-c.h"

#define REGISTRATION_TEXT "text/plain; charset=utf-8"

typedef Gateway__NameParameters registration_parameters_t;

/* A field that was not sent still points to protobuf's own empty text. */
bool registration_is_missing(const char *text);

void registration_reply_empty(struct api_request *request, enum http_status status);
void registration_reply_missing(struct api_request *request, const char *name);
void registration_reply_word(struct api_request *request, const char *word);
/* A refusal in the form of the API; `unknown` is the status for a secret that is nobody's. */
void registration_reply_error(struct api_request *request, err_t err, enum http_status unknown);

/* Calls a method of lanyard-dns that answers with nothing, and replies. */
err_t registration_run(struct api_request *request, const char *method,
	const ProtobufCMessage *message, enum http_status unknown) MUST_CHECK;

/* ---- the methods; each replies, also with its errors, and returns OK ---- */

err_t registration_subscribe(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_reclaim(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_unsubscribe(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_ping(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_report(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_info(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_dnsconfig(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_setemail(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_verifyemail(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_revokeemail(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_adddiscovery(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_revokediscovery(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
err_t registration_discovery(
	struct api_request *request, const registration_parameters_t *parameters) MUST_CHECK;
