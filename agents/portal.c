/* portal: see portal.h. */
#include "agents/portal.h"

#include "agents/document.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define OK_STATUS(status) ((status) >= 200 && (status) < 300)

err_t portal_check(const struct fetch_reply *reply, struct fault *fault)
{
	if (reply->err != OK)
		return fault_set(fault, reply->err, "", "can't reach the portal: %.220s",
			reply->fault.detail);
	if (!OK_STATUS(reply->status))
		return reply_problem(reply->status, reply->body, reply->len, fault);
	return OK;
}

err_t portal_read(const struct fetch_reply *reply, json_t **body, struct fault *fault)
{
	err_t err = portal_check(reply, fault);

	if (err != OK)
		return err;
	*body = document_read(reply->body, reply->len);
	return *body != NULL ? OK
			     : fault_set(fault, ERR_INVALID_ARGUMENT, "body",
				       "the portal's reply: body: expected a JSON object");
}

bool portal_is_busy(const struct fetch_reply *reply)
{
	return reply->err != OK || reply->status == 429 || reply->status >= 500;
}

static char *body_of(json_t *object)
{
	char *body = json_dumps(object, JSON_COMPACT);

	if (body == NULL)
		BUG("a request that can't be written as JSON");
	json_decref(object);
	return body;
}

err_t portal_enrol(
	const struct portal_enrolment *request, struct enrolment *enrolment, struct fault *fault)
{
	AUTO_FREE char *url = xasprintf("%s/v1/enrolments", request->url);
	AUTO_FREE char *body = body_of(json_pack(
		"{s:s, s:s}", "enrolment_key", request->enrolment_key, "name", request->name));
	AUTO_FREE char *answer = NULL;
	struct fetch_reply reply;
	err_t err;

	fetch_post_now(&(struct fetch_request){ .url = url,
			       .body = body,
			       .idempotency_key = request->idempotency_key,
			       .ca_pem = request->ca_pem },
		request->proxy, &reply, &answer);
	if ((err = portal_check(&reply, fault)) != OK)
		return err;
	return reply_enrolment(enrolment, reply.body, reply.len, fault);
}

struct fetch *portal_post(struct fetcher *fetcher, const struct device *device, const char *path,
	const struct portal_manner *manner, json_t *object,
	void (*done)(void *context, const struct fetch_reply *reply), void *context)
{
	AUTO_FREE char *url = xasprintf("%s%s", device->url, path);
	AUTO_FREE char *body = body_of(object);

	return fetch_send(fetcher,
		&(struct fetch_request){ .url = url,
			.body = body,
			.user = manner->token == NULL ? device->id : NULL,
			.password = manner->token == NULL ? device->secret : NULL,
			.bearer = manner->token,
			.idempotency_key = manner->idempotency_key,
			.ca_pem = device->ca_pem },
		done, context);
}

struct fetch *portal_get(struct fetcher *fetcher, const struct device *device, const char *path,
	bool fresh, void (*done)(void *context, const struct fetch_reply *reply), void *context)
{
	AUTO_FREE char *url = xasprintf("%s%s", device->url, path);

	return fetch_send(fetcher,
		&(struct fetch_request){ .url = url,
			.user = device->id,
			.password = device->secret,
			.ca_pem = device->ca_pem,
			.fresh = fresh },
		done, context);
}

struct fetch *portal_attach(struct fetcher *fetcher, const struct device *device,
	const char *network, void (*done)(void *context, const struct fetch_reply *reply),
	void *context)
{
	return portal_post(fetcher, device, "/v1/attachments", PORTAL_ANEW,
		json_pack("{s:s*}", "network", network), done, context);
}

err_t portal_attached(
	const struct fetch_reply *reply, struct attachment *attachment, struct fault *fault)
{
	err_t err = portal_check(reply, fault);

	return err != OK ? err : reply_attachment(attachment, reply->body, reply->len, fault);
}
