/*
 * http_head: see http_head.h. libmicrohttpd takes a line that ends with LF alone, takes a zero
 * for the end of a value, and hangs a folded line onto the name before it. It does all
 * that in place, with zeros where pieces end: so where they lie tells what was between them.
 */
#include "gateway/http_head.h"

#include <microhttpd.h>

#include <string.h>

void http_refuse(struct http_request *request, enum http_status status, const char *field,
	const char *detail)
{
	if (request->refused != 0)
		return;
	request->refused = status;
	/* The status says it all, the error code goes nowhere. */
	(void)fault_set(&request->call.fault, ERR_INVALID_ARGUMENT, field, "%s", detail);
}

struct head {
	struct http_request *request;
	const char *end; /* of what has been read */
};

/* Both bytes of CR LF have become zeros. */
static bool ends_line(const char *end)
{
	return end[0] == '\0' && end[1] == '\0';
}

/* A name that was folded onto has moved away from its value. */
static bool is_one_line(const char *name, size_t name_len, const char *value)
{
	const char *at = name + name_len;

	if (value <= at || value > at + HEADERS_MAX)
		return false;
	for (at++; at < value; at++)
		if (*at != ' ' && *at != '\t')
			return false;
	return true;
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
	size_t name_len, const char *value, size_t value_len)
{
	struct head *head = arg;
	struct http_request *request = head->request;

	(void)kind;
	if (value == NULL || !ends_line(head->end) || name != head->end + 2 ||
		!is_one_line(name, name_len, value))
		http_refuse(request, HTTP_BAD_REQUEST, "",
			"expected each header in one line that ends with CR LF");
	headers_add(&request->headers, request->call.arena, name, value != NULL ? value : "");
	head->end = value != NULL ? value + value_len : head->end;
	return MHD_YES;
}

void http_head_read(struct http_request *request, struct MHD_Connection *connection,
	const char *target_end, const char *version)
{
	struct head head = { .request = request, .end = version + strlen(version) };
	struct headers *headers = &request->headers;

	if (version != target_end + 1 || !ends_line(head.end))
		http_refuse(request, HTTP_BAD_REQUEST, "",
			"expected method, target and version with one blank between, and CR LF");
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, on_header, &head);
	if (!ends_line(head.end))
		http_refuse(request, HTTP_BAD_REQUEST, "", "expected headers that end with CR LF");
	headers_check(headers);
	if (headers->refused != 0)
		http_refuse(request, headers->refused, headers->field, headers->detail);
	if (strlen(request->target) > HTTP_TARGET_MAX)
		http_refuse(request, HTTP_URI_TOO_LONG, "", "path and query are too long");
}
