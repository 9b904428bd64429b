/*
 * site: the host under which people of a tenant sign in, and the texts that are made of it. In
 * workers.
 */
#pragma once

#include "gateway/api.h"

/* Makes the tenant of the request's host the call's; NOT_FOUND if nobody signs in there. */
err_t site_enter(struct api_request *request) MUST_CHECK;

/* "https://HOST" as the client asked for it, with its port; then `path`. */
const char *site_url(const struct api_request *request, const char *path);

/* Sets the texts of an OAuth request from the parameters of the same names; others are ignored (RFC
 * 6749 sections 3.1 and 3.2). */
void site_fill(const struct form *form, ProtobufCMessage *message);

/* Does a form come from a page of this site (Origin, else Referer)? Other sites' forms are refused
 * by this alone, since every browser of today tells one of them. */
bool site_is_own_form(const struct api_request *request);

/* `text` with all but unreserved characters escaped (RFC 3986 section 2.3). */
const char *site_escape(struct arena *arena, const char *text);
