/* feeds: a list of those that wait, a worker that gives all of them to a crew each second. */
#include "gateway/feeds.h"

#include "lib/mem.h"
#include "lib/worker.h"

#include <pthread.h>
#include <string.h>

#define THREADS	 4
#define EVERY_MS 1000
#define NEXT_MS	 2000 /* for one answer */

struct feeds {
	struct bus *bus;
	struct crew *crew;
	struct worker *ticker;

	pthread_mutex_t mutex; /* guards what follows */
	struct feeding *waiting;
	bool ended;
};

static bool has_ended(struct feeds *feeds)
{
	bool ended;

	pthread_mutex_lock(&feeds->mutex);
	ended = feeds->ended;
	pthread_mutex_unlock(&feeds->mutex);
	return ended;
}

/* In a thread of the crew. */
static void ask(struct job *job)
{
	struct feeding *feeding = (struct feeding *)job; /* its first member */
	struct feeds *feeds = feeding->feeds;
	const char *text = "";
	struct call call;

	call_init(&call, feeds->bus, feeding->call->actor, NEXT_MS);
	call.tenant = feeding->call->tenant;
	feeding->over = has_ended(feeds);
	if (!feeding->over)
		text = feeding->feed->next(feeding->feed, &call, &feeding->over);
	feeding->len = strlen(text);
	feeding->sent = 0;
	if (feeding->len > 0)
		feeding->text = xstrdup(text);
	call_finish(&call);
	if (feeding->len > 0 || feeding->over)
		feeding->ready(feeding);
	else
		feeds_wait(feeds, feeding);
}

static int64_t tick(void *arg)
{
	struct feeds *feeds = arg;
	struct feeding *feeding, *next;

	pthread_mutex_lock(&feeds->mutex);
	feeding = feeds->waiting;
	feeds->waiting = NULL;
	pthread_mutex_unlock(&feeds->mutex);
	for (; feeding != NULL; feeding = next) {
		next = feeding->next;
		crew_put(feeds->crew, &feeding->job);
	}
	return EVERY_MS;
}

struct feeds *feeds_start(struct bus *bus)
{
	struct feeds *feeds = xcalloc(1, sizeof(*feeds));

	feeds->bus = bus;
	pthread_mutex_init(&feeds->mutex, NULL);
	feeds->crew = crew_start(THREADS, ask);
	feeds->ticker = worker_start(tick, feeds);
	return feeds;
}

void feeds_end(struct feeds *feeds)
{
	pthread_mutex_lock(&feeds->mutex);
	feeds->ended = true;
	pthread_mutex_unlock(&feeds->mutex);
	worker_wake(feeds->ticker);
}

void feeds_stop(struct feeds *feeds)
{
	if (feeds == NULL)
		return;
	worker_stop(feeds->ticker);
	crew_stop(feeds->crew);
	if (feeds->waiting != NULL)
		BUG("a feed was left open");
	pthread_mutex_destroy(&feeds->mutex);
	free(feeds);
}

void feeds_wait(struct feeds *feeds, struct feeding *feeding)
{
	free(feeding->text);
	feeding->text = NULL;
	feeding->feeds = feeds;
	if (feeding->feed->eager) {
		crew_put(feeds->crew, &feeding->job);
		return;
	}
	pthread_mutex_lock(&feeds->mutex);
	feeding->next = feeds->waiting;
	feeds->waiting = feeding;
	pthread_mutex_unlock(&feeds->mutex);
}
