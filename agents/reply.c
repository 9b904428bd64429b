/* reply: see reply.h. The only file of the agent that reads the portal's JSON. */
#include "agents/reply.h"

#include "agents/document.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MTU_MIN	      1280
#define MTU_MAX	      9000
#define EXPIRES_MAX_S (24 * 3600)

#define HEX	"0123456789abcdef"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define TOKENS	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" LETTERS "0123456789-_."

static err_t refuse(struct fault *fault, const char *field, const char *expected)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, field, "the portal's reply: %s: expected %s",
		field, expected);
}

static json_t *parse(const char *body, size_t len)
{
	return len <= REPLY_MAX ? document_read(body, len) : NULL;
}

/* ---- fields ---- */

/* A string of `min` to size - 1 bytes, of the characters in `alphabet` only. */
static err_t take_text(const json_t *reply, const char *field, const char *alphabet, size_t min,
	char *out, size_t size, struct fault *fault)
{
	if (!document_text(reply, field, alphabet, min, out, size))
		return refuse(fault, field, "a text of the right length and characters");
	return OK;
}

static err_t take_id(
	const json_t *reply, const char *field, char out[REPLY_ID_SIZE], struct fault *fault)
{
	return take_text(reply, field, HEX "-", REPLY_ID_SIZE - 1, out, REPLY_ID_SIZE, fault);
}

static err_t take_name(
	const json_t *reply, const char *field, char out[REPLY_NAME_SIZE], struct fault *fault)
{
	return take_text(reply, field, TOKENS, 1, out, REPLY_NAME_SIZE, fault);
}

static err_t take_number(const json_t *reply, const char *field, uint32_t min, uint32_t max,
	uint32_t *out, struct fault *fault)
{
	const json_t *value = json_object_get(reply, field);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < min || number > max)
		return refuse(fault, field, "a number in its range");
	*out = (uint32_t)number;
	return OK;
}

static err_t take_token(const json_t *reply, struct attachment *attachment, struct fault *fault)
{
	size_t len = strlen(strcpy(attachment->authorization, "Bearer "));

	return take_text(reply, "access_token", TOKENS, 16, attachment->authorization + len,
		sizeof(attachment->authorization) - len, fault);
}

/* An empty one leaves the choice to the device. */
static err_t take_mac(const json_t *reply, struct attachment *attachment, struct fault *fault)
{
	const json_t *value = json_object_get(reply, "mac");
	char text[18];
	unsigned byte[6];
	int used = 0;

	attachment->own_mac = json_is_string(value) && json_string_length(value) == 0;
	memset(attachment->mac, 0, sizeof(attachment->mac));
	if (attachment->own_mac)
		return OK;
	if (take_text(reply, "mac", HEX ":", 17, text, sizeof(text), fault) != OK)
		return ERR_INVALID_ARGUMENT;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		    &byte[4], &byte[5], &used) != 6 ||
		used != 17 || (byte[0] & 1) != 0 || strcmp(text, "00:00:00:00:00:00") == 0)
		return refuse(fault, "mac", "the address of one station");
	for (size_t i = 0; i < 6; i++)
		attachment->mac[i] = (uint8_t)byte[i];
	return OK;
}

/* "10.77.0.1/24"; an empty or absent field is no address. */
static err_t take_address(const json_t *reply, const char *field, int family, struct address *out,
	struct fault *fault)
{
	const json_t *value = json_object_get(reply, field);
	char text[sizeof(out->text)];

	*out = (struct address){ .family = AF_UNSPEC };
	if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
		return OK;
	if (!document_text(reply, field, NULL, 1, text, sizeof(text)) ||
		!address_read(out, family, text))
		return refuse(fault, field, "an address with its prefix length");
	return OK;
}

static err_t take_urls(const json_t *reply, struct attachment *attachment, struct fault *fault)
{
	const json_t *list = json_object_get(reply, "urls");
	size_t n = json_array_size(list);

	if (n < 1)
		return refuse(fault, "urls", "at least one dataplane URL");
	if (n > REPLY_URLS_MAX)
		n = REPLY_URLS_MAX;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || url_parse(&attachment->urls[i], "wss", text, NULL) != OK)
			return refuse(fault, "urls", "URLs such as wss://host.example:9443/l2");
	}
	attachment->n_urls = (unsigned)n;
	return OK;
}

/* ---- replies ---- */

err_t reply_enrolment(
	struct enrolment *enrolment, const char *body, size_t len, struct fault *fault)
{
	AUTO_DOCUMENT reply = parse(body, len);
	err_t err;

	if (reply == NULL)
		return refuse(fault, "body", "a JSON object");
	if ((err = take_id(reply, "tenant", enrolment->tenant, fault)) != OK ||
		(err = take_id(reply, "device", enrolment->device, fault)) != OK ||
		(err = take_name(reply, "name", enrolment->name, fault)) != OK ||
		(err = take_name(reply, "state", enrolment->state, fault)) != OK)
		return err;
	return take_text(
		reply, "secret", TOKENS, 16, enrolment->secret, sizeof(enrolment->secret), fault);
}

err_t reply_attachment(
	struct attachment *attachment, const char *body, size_t len, struct fault *fault)
{
	AUTO_DOCUMENT reply = parse(body, len);
	err_t err;

	if (reply == NULL)
		return refuse(fault, "body", "a JSON object");
	if ((err = take_token(reply, attachment, fault)) != OK ||
		(err = take_number(reply, "expires_in", 1, EXPIRES_MAX_S, &attachment->expires_in_s,
			 fault)) != OK ||
		(err = take_id(reply, "tenant", attachment->tenant, fault)) != OK ||
		(err = take_name(reply, "network_name", attachment->network, fault)) != OK ||
		(err = take_name(reply, "name", attachment->name, fault)) != OK ||
		(err = take_mac(reply, attachment, fault)) != OK ||
		(err = take_address(reply, "ipv4", AF_INET, &attachment->ipv4, fault)) != OK ||
		(err = take_address(reply, "ipv6", AF_INET6, &attachment->ipv6, fault)) != OK ||
		(err = take_number(reply, "mtu", MTU_MIN, MTU_MAX, &attachment->mtu, fault)) != OK)
		return err;
	return take_urls(reply, attachment, fault);
}

static err_t err_of_status(unsigned status)
{
	static const struct {
		unsigned status;
		err_t err;
	} rows[] = {
		{ 401, ERR_UNAUTHENTICATED },
		{ 403, ERR_PERMISSION_DENIED },
		{ 404, ERR_NOT_FOUND },
		{ 409, ERR_ALREADY_EXISTS },
		{ 412, ERR_FAILED_PRECONDITION },
		{ 429, ERR_RESOURCE_EXHAUSTED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].status == status)
			return rows[i].err;
	return status >= 400 && status < 500 ? ERR_INVALID_ARGUMENT : ERR_UNAVAILABLE;
}

err_t reply_problem(unsigned status, const char *body, size_t len, struct fault *fault)
{
	AUTO_DOCUMENT reply = parse(body, len);
	const char *detail = json_string_value(json_object_get(reply, "detail"));
	err_t err = err_of_status(status);

	if (detail == NULL)
		detail = json_string_value(json_object_get(reply, "title"));
	if (detail == NULL)
		return fault_set(fault, err, "", "the portal answered HTTP status %u", status);
	err = fault_set(fault, err, "", "the portal answered %u: %s", status, detail);
	for (char *c = fault->detail; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return err;
}
