/*
 * face: what the APIs of other systems share: who a request really comes from, and replies that
 * are no problem documents. One file a foreign API; each only translates.
 */
#pragma once

#include "gateway/api.h"

extern const struct route registration_routes[];
extern const struct route challenge_routes[];
extern const struct route oauth_token_routes[];
extern const struct route oauth_page_routes[];
extern const struct route account_page_routes[];
extern const struct route password_page_routes[];
extern const struct route own_factor_page_routes[];
extern const struct route invitation_page_routes[];
extern const struct route provider_page_routes[];
extern const struct route est_routes[];
extern const struct route eduvpn_discovery_routes[];
extern const struct route eduvpn_list_routes[];

/* The caller's address: what a trusted proxy says, else that of the connection. */
const char *face_address(const struct api_request *request);

/* Host header, "" without one. */
const char *face_host(const struct api_request *request);

/* The host that is meant, in small letters and without port; "" without a Host header. */
char *face_host_name(const struct api_request *request);

/* The token of "Authorization: Bearer TOKEN", NULL without one. */
const char *face_bearer(const struct api_request *request);

/* User and password of "Authorization: Basic ..."; false if there are none. */
bool face_basic(struct api_request *request, const char **user, const char **password);

/* Calls a method of lanyard-dns. */
err_t face_dns(struct api_request *request, const char *method, const ProtobufCMessage *message,
	const ProtobufCMessage **reply) MUST_CHECK;

/* Replies; `text` is static or in the call's arena, NULL: an empty body. */
void face_reply(struct api_request *request, enum http_status status, const char *content_type,
	const char *text);
void face_reply_json(
	struct api_request *request, enum http_status status, const ProtobufCMessage *message);
