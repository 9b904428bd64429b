/* http_reply: the headers of a reply; see http.h. */
#include "gateway/http.h"

#include "lib/mem.h"

#include <string.h>

void http_reply_add(struct http_reply *reply, const char *name, const char *value)
{
	bool many = strcmp(name, "Set-Cookie") == 0; /* RFC 9110 section 5.3 */

	for (size_t i = 0; !many && i < reply->n_headers; i++)
		if (strcmp(reply->headers[i].name, name) == 0)
			return;
	if (reply->n_headers == HTTP_REPLY_HEADERS_MAX)
		BUG("a reply has no room for the header %s", name);
	reply->headers[reply->n_headers++] = (struct http_header){ name, value };
}
