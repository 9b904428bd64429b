/* look: see look.h. */
#include "agents/monitor/look.h"

#include "agents/document.h"
#include "agents/reply.h"

#include "lib/mem.h"

#define PAGE	  "50" /* connections; many more would not fit into a reply */
#define PAGES_MAX 2000 /* a list that never ends is no list */

struct look {
	const struct look_options *options;
	struct fetcher *fetcher;
	struct fetch *fetch; /* of a page; NULL: no look is under way */
	json_t *connections; /* so far */
	unsigned n_pages;
};

static void end(struct look *look, err_t err, const struct fault *fault)
{
	json_t *connections = look->connections;

	look->connections = NULL;
	look->options->done(look->options->context, err == OK ? connections : NULL, err, fault);
	json_decref(connections);
}

static void ask(struct look *look, const char *cursor);

/* Adds a page to what there is; `cursor` is that of the next one. */
static err_t take_page(struct look *look, const struct fetch_reply *reply, const json_t *page,
	const char **cursor, struct fault *fault)
{
	const json_t *items = json_object_get(page, "items");

	if (reply->err != OK)
		return fault_set(fault, ERR_UNAVAILABLE, "", "can't reach the gateway: %.200s",
			reply->fault.detail);
	if (reply->status != 200) {
		reply_problem(reply->status, reply->body, reply->len, fault);
		return reply->status < 500 && reply->status != 429 ? ERR_PERMISSION_DENIED
								   : ERR_UNAVAILABLE;
	}
	*cursor = json_string_value(json_object_get(page, "next_cursor"));
	if (!json_is_array(items) || !*cursor || look->n_pages++ == PAGES_MAX)
		return fault_set(fault, ERR_UNAVAILABLE, "",
			"the gateway's answer is no list of connections");
	json_array_extend(look->connections, (json_t *)items);
	return OK;
}

static void on_page(void *context, const struct fetch_reply *reply)
{
	struct look *look = context;
	AUTO_DOCUMENT page = reply->err == OK ? document_read(reply->body, reply->len) : NULL;
	struct fault fault = { "", "" };
	const char *cursor = "";
	err_t err = take_page(look, reply, page, &cursor, &fault);

	look->fetch = NULL;
	if (err == OK && *cursor != '\0')
		ask(look, cursor);
	else
		end(look, err, &fault);
}

static void ask(struct look *look, const char *cursor)
{
	const struct look_options *options = look->options;
	AUTO_FREE char *url =
		options->tenant ? xasprintf("%s/v1/tenants/%s/connections?limit=" PAGE "&cursor=%s",
					  options->url, options->tenant, cursor)
				: xasprintf("%s/v1/connections?limit=" PAGE "&cursor=%s",
					  options->url, cursor);

	look->fetch = fetch_send(look->fetcher,
		&(struct fetch_request){
			.url = url, .bearer = options->key, .ca_pem = options->ca_pem },
		on_page, look);
}

struct look *look_create(struct loop *loop, const struct look_options *options)
{
	struct look *look = xcalloc(1, sizeof(*look));

	look->options = options;
	look->fetcher = fetcher_create(loop, options->proxy);
	return look;
}

void look_destroy(struct look *look)
{
	if (!look)
		return;
	fetch_cancel(look->fetch);
	fetcher_destroy(look->fetcher);
	json_decref(look->connections);
	free(look);
}

void look_begin(struct look *look)
{
	if (look->fetch)
		return;
	look->connections = json_array();
	look->n_pages = 0;
	ask(look, "");
}
