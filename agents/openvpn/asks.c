/* asks: see asks.h. */
#include "agents/openvpn/asks.h"
#include "agents/portal.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <string.h>

#define AT_ONCE	    16
#define RETRY_MS    1000
#define PATIENCE_MS 30000 /* a client waits for 60 seconds */

struct ask {
	struct ask *next; /* asks.first */
	struct asks *asks;
	struct management_event asked;
	struct fetch *fetch;	 /* NULL: waits for its turn or its time */
	struct loop_timer retry; /* due_ms 0: not set */
	int64_t since_ms;
};

struct asks {
	struct asks_options options;
	struct ask *first;
	unsigned n_fetches;
};

static void on_reply(void *context, const struct fetch_reply *reply);

/* Those that have waited for longest are at the end. */
static void go_on(struct asks *asks)
{
	const struct asks_options *options = &asks->options;
	struct ask *oldest;

	while (asks->n_fetches < AT_ONCE) {
		oldest = NULL;
		for (struct ask *ask = asks->first; ask != NULL; ask = ask->next)
			if (ask->fetch == NULL && ask->retry.due_ms == 0)
				oldest = ask;
		if (oldest == NULL)
			return;
		asks->n_fetches++;
		oldest->fetch = authority_ask(options->fetcher, options->device, options->start,
			&oldest->asked, proven_has(options->proven, &oldest->asked), on_reply,
			oldest);
	}
}

static void remove_ask(struct ask *ask)
{
	struct asks *asks = ask->asks;
	struct ask **slot;

	for (slot = &asks->first; *slot != ask; slot = &(*slot)->next)
		;
	*slot = ask->next;
	if (ask->retry.due_ms != 0)
		loop_clear_timer(asks->options.loop, &ask->retry);
	if (ask->fetch != NULL)
		fetch_cancel(ask->fetch);
	explicit_bzero(ask, sizeof(*ask));
	free(ask);
}

static void on_retry(void *context)
{
	struct ask *ask = context;

	ask->retry.due_ms = 0;
	go_on(ask->asks);
}

/* A request that has a wrong form (400) is the client's fault: so is its refusal. */
static void settle(struct ask *ask, const struct fetch_reply *reply)
{
	const struct asks_options options = ask->asks->options;
	struct management_event asked = ask->asked;
	struct vpn_decision decision;
	struct fault fault;
	err_t err = authority_answered(reply, &decision, &fault);

	remove_ask(ask);
	if (err == OK)
		options.answered(options.context, &asked, &decision, NULL);
	else if (portal_is_busy(reply) || reply->status == 400)
		options.answered(options.context, &asked, NULL, &fault);
	else
		options.dismissed(options.context, &fault);
	explicit_bzero(&asked, sizeof(asked));
}

static void on_reply(void *context, const struct fetch_reply *reply)
{
	struct ask *ask = context;
	struct asks *asks = ask->asks;
	int64_t now_ms = clock_ms();

	ask->fetch = NULL;
	asks->n_fetches--;
	if (portal_is_busy(reply) && now_ms < ask->since_ms + PATIENCE_MS) {
		loop_set_timer(asks->options.loop, &ask->retry, now_ms + RETRY_MS);
		go_on(asks);
		return;
	}
	go_on(asks);
	settle(ask, reply); /* may be the end of all */
}

struct asks *asks_create(const struct asks_options *options)
{
	struct asks *asks = xcalloc(1, sizeof(*asks));

	asks->options = *options;
	return asks;
}

void asks_destroy(struct asks *asks)
{
	if (asks == NULL)
		return;
	while (asks->first != NULL)
		remove_ask(asks->first);
	free(asks);
}

void asks_add(struct asks *asks, const struct management_event *asked)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	*ask = (struct ask){ .asks = asks,
		.asked = *asked,
		.retry = { .fire = on_retry, .context = ask },
		.since_ms = clock_ms(),
		.next = asks->first };
	asks->first = ask;
	go_on(asks);
}
