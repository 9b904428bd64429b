/* authority: see authority.h. */
#include "agents/openvpn/authority.h"

#include "agents/document.h"
#include "agents/openvpn/pushed.h"
#include "agents/portal.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#define IDS   "0123456789abcdef-"
#define HOSTS "abcdefghijklmnopqrstuvwxyz0123456789-."

/* ---- requests ---- */

struct fetch *authority_start(struct fetcher *fetcher, const struct device *device,
	const char *server, const char *csr, authority_done done, void *context)
{
	return portal_post(fetcher, device, "/v1/vpn-starts", PORTAL_ANEW,
		json_pack("{s:s*, s:s*}", "server", server, "csr", csr), done, context);
}

struct fetch *authority_ask(struct fetcher *fetcher, const struct device *device,
	const struct vpn_start *start, const struct management_event *event, bool proven,
	authority_done done, void *context)
{
	AUTO_FREE char *key =
		xasprintf("%s-%" PRIu64 "-%" PRIu64, start->run, event->client, event->key);
	AUTO_FREE char *source = xasprintf("%s:%s", event->address, event->port);

	return portal_post(fetcher, device, "/v1/vpn-decisions",
		&(struct portal_manner){ .idempotency_key = key },
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "server", start->server, "run",
			start->run, "serial", event->serial, "username", event->username,
			"password", proven ? "" : event->password, "source", source, "proven",
			proven),
		done, context);
}

json_t *authority_item(const char *connection, uint64_t bytes_in, uint64_t bytes_out, bool gone)
{
	return json_pack("{s:s, s:I, s:I, s:b}", "connection", connection, "bytes_in",
		(json_int_t)bytes_in, "bytes_out", (json_int_t)bytes_out, "gone", gone);
}

struct fetch *authority_report(struct fetcher *fetcher, const struct device *device,
	const struct vpn_start *start, json_t *items, authority_done done, void *context)
{
	return portal_post(fetcher, device, "/v1/vpn-reports", PORTAL_ANEW,
		json_pack("{s:s, s:s, s:o}", "server", start->server, "run", start->run, "items",
			items),
		done, context);
}

/* ---- replies ---- */

static err_t refuse(struct fault *fault, const char *field)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, field,
		"the portal's reply: %s: expected what the API describes", field);
}

/* One of two words; false if it is neither. */
static bool take_word(
	const json_t *object, const char *member, const char *yes, const char *no, bool *is_yes)
{
	const char *text = json_string_value(json_object_get(object, member));

	if (text == NULL)
		return false;
	*is_yes = strcmp(text, yes) == 0;
	return *is_yes || strcmp(text, no) == 0;
}

static bool take_number(const json_t *object, const char *member, uint32_t max, uint32_t *out)
{
	json_int_t number = json_integer_value(json_object_get(object, member));

	*out = (uint32_t)number;
	return number > 0 && number <= max;
}

/* "": there is none. */
static bool take_address(
	const json_t *object, const char *member, int family, struct address *address)
{
	const char *text = json_string_value(json_object_get(object, member));

	*address = (struct address){ .family = AF_UNSPEC };
	return text != NULL && (*text == '\0' || address_read(address, family, text));
}

static bool take_pem(const json_t *object, const char *member, char **out)
{
	const char *text = json_string_value(json_object_get(object, member));

	*out = xstrdup(text != NULL ? text : "");
	return text != NULL;
}

static err_t take_server(const json_t *server, struct vpn_start *start, struct fault *fault)
{
	if (!document_text(
		    server, "id", IDS, REPLY_ID_SIZE - 1, start->server, sizeof(start->server)))
		return refuse(fault, "server.id");
	if (!document_text(server, "host", HOSTS, 1, start->host, sizeof(start->host)))
		return refuse(fault, "server.host");
	if (!take_word(server, "protocol", "tcp", "udp", &start->tcp))
		return refuse(fault, "server.protocol");
	if (!take_word(server, "mode", "tun", "tap", &start->tun))
		return refuse(fault, "server.mode");
	if (!take_number(server, "port", 65535, &start->port))
		return refuse(fault, "server.port");
	if (!take_number(server, "max_clients", 1000, &start->max_clients))
		return refuse(fault, "server.max_clients");
	return OK;
}

static err_t take_start(const json_t *body, struct vpn_start *start, struct fault *fault)
{
	err_t err = take_server(json_object_get(body, "server"), start, fault);

	if (err != OK)
		return err;
	if (!document_text(body, "run", IDS, REPLY_ID_SIZE - 1, start->run, sizeof(start->run)))
		return refuse(fault, "run");
	if (!take_number(body, "mtu", 9000, &start->mtu))
		return refuse(fault, "mtu");
	if (!take_address(body, "ipv4", AF_INET, &start->ipv4) ||
		!take_address(body, "ipv6", AF_INET6, &start->ipv6))
		return refuse(fault, "ipv4");
	if (!take_pem(body, "certificate", &start->certificate) ||
		!take_pem(body, "trust", &start->trust) ||
		!take_pem(body, "ta_key", &start->ta_key) ||
		!take_pem(body, "tls_crypt", &start->tls_crypt))
		return refuse(fault, "trust");
	if (!pushed_read(json_object_get(body, "profile"), &start->ipv4, &start->pushed))
		return refuse(fault, "profile");
	start->two_factor =
		json_is_true(json_object_get(json_object_get(body, "profile"), "two_factor"));
	return OK;
}

err_t authority_started(
	const struct fetch_reply *reply, struct vpn_start *start, struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	err_t err = portal_read(reply, &body, fault);

	*start = (struct vpn_start){ 0 };
	if (err == OK && (err = take_start(body, start, fault)) != OK)
		vpn_start_finish(start);
	return err;
}

void vpn_start_finish(struct vpn_start *start)
{
	free(start->certificate);
	free(start->trust);
	free(start->ta_key);
	free(start->tls_crypt);
	free(start->pushed);
	*start = (struct vpn_start){ 0 };
}

/* As it may stand between quotes in a command of the management socket. */
static void take_reason(const json_t *body, char reason[AUTHORITY_REASON_SIZE])
{
	const char *text = json_string_value(json_object_get(body, "reason"));
	size_t n = 0;

	for (; text != NULL && *text != '\0' && n < AUTHORITY_REASON_SIZE - 1; text++)
		reason[n++] = *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\' ? *text
											    : '\'';
	reason[n] = '\0';
}

err_t authority_answered(
	const struct fetch_reply *reply, struct vpn_decision *decision, struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	err_t err = portal_read(reply, &body, fault);

	if (err != OK)
		return err;
	*decision =
		(struct vpn_decision){ .allowed = json_is_true(json_object_get(body, "allowed")) };
	take_reason(body, decision->reason);
	if (!decision->allowed)
		return OK;
	if (!document_text(body, "connection", IDS, REPLY_ID_SIZE - 1, decision->connection,
		    sizeof(decision->connection)))
		return refuse(fault, "connection");
	if (!take_address(body, "ipv4", AF_INET, &decision->ipv4) ||
		!take_address(body, "ipv6", AF_INET6, &decision->ipv6))
		return refuse(fault, "ipv4");
	return OK;
}

err_t authority_reported(const struct fetch_reply *reply,
	void (*unwelcome)(void *context, const char *connection), void *context,
	struct fault *fault)
{
	AUTO_DOCUMENT body = NULL;
	const json_t *list, *item;
	size_t i;
	err_t err = portal_read(reply, &body, fault);

	if (err != OK)
		return err;
	list = json_object_get(body, "unwelcome");
	json_array_foreach(list, i, item)
	{
		if (json_string_length(item) == REPLY_ID_SIZE - 1)
			unwelcome(context, json_string_value(item));
	}
	return json_is_array(list) ? OK : refuse(fault, "unwelcome");
}
