/* registry: see registry.h. */
#include "agents/expose/registry.h"

#include "agents/document.h"
#include "agents/portal.h"

#include <string.h>

#define NAMES  "abcdefghijklmnopqrstuvwxyz0123456789-."
#define TOKENS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* ---- requests ---- */

#define OF_NAME(its_token) (&(const struct portal_manner){ .token = its_token })

struct fetch *registry_register(struct fetcher *fetcher, const struct device *device,
	const char *label, const char *zone, registry_done done, void *context)
{
	return portal_post(fetcher, device, "/v1/registrations", PORTAL_ANEW,
		json_pack("{s:s, s:s*}", "name", label, "zone", zone), done, context);
}

struct fetch *registry_report(struct fetcher *fetcher, const struct device *device,
	const char *token, const char *addresses, const char *account, registry_done done,
	void *context)
{
	return portal_post(fetcher, device, "/ping", OF_NAME(token),
		json_pack("{s:s, s:s*}", "local_ip", addresses, "accounturi", account), done,
		context);
}

struct fetch *registry_ask(struct fetcher *fetcher, const struct device *device, const char *token,
	registry_done done, void *context)
{
	return portal_post(fetcher, device, "/info", OF_NAME(token), json_object(), done, context);
}

struct fetch *registry_challenge(struct fetcher *fetcher, const struct device *device,
	const char *token, const char *value, registry_done done, void *context)
{
	return portal_post(fetcher, device, "/dnsconfig", OF_NAME(token),
		json_pack("{s:s}", "challenge", value), done, context);
}

/* ---- replies ---- */

static err_t refuse(struct fault *fault, const char *field, const char *expected)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, field, "the portal's reply: %s: expected %s",
		field, expected);
}

static err_t take_name(const json_t *body, char name[REGISTRY_NAME_SIZE], struct fault *fault)
{
	if (!document_text(body, "name", NAMES, 1, name, REGISTRY_NAME_SIZE) || name[0] == '.' ||
		name[0] == '-' || strstr(name, "..") != NULL)
		return refuse(fault, "name", "a fully qualified name");
	return OK;
}

err_t registry_registered(
	const struct fetch_reply *reply, struct registration *registration, struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	err_t err = portal_read(reply, &body, fault);

	if (err != OK || (err = take_name(body, registration->name, fault)) != OK)
		return err;
	if (!document_text(
		    body, "token", TOKENS, 16, registration->token, sizeof(registration->token)))
		return refuse(fault, "token", "the name's token");
	return OK;
}

static err_t take_urls(const json_t *body, struct name_info *info, struct fault *fault)
{
	const json_t *list = json_object_get(body, "tunnel_urls");
	size_t n = json_array_size(list);
	struct url url;

	if (n > REGISTRY_URLS_MAX)
		n = REGISTRY_URLS_MAX;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || strlen(text) >= URL_MAX ||
			url_parse(&url, "wss", text, NULL) != OK)
			return refuse(fault, "tunnel_urls",
				"URLs such as wss://host.example:9443/tunnel");
		strcpy(info->urls[i], text);
	}
	info->n_urls = (unsigned)n;
	return OK;
}

err_t registry_info(const struct fetch_reply *reply, struct name_info *info, struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	json_int_t expire_s;
	err_t err = portal_read(reply, &body, fault);

	if (err != OK || (err = take_name(body, info->name, fault)) != OK)
		return err;
	expire_s = json_integer_value(json_object_get(body, "expire_s"));
	if (expire_s < 0 || expire_s > UINT32_MAX)
		return refuse(fault, "expire_s", "a number of seconds");
	info->expire_s = (uint32_t)expire_s;
	return take_urls(body, info, fault);
}
