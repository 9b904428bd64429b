/*
 * feeds: a sender is asked until it has something, again after that was sent, and no more when all
 * are over.
 */
#include "gateway/feeds.h"
#include "lib/mem.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

/* Says nothing, then "one", then nothing, then "two" and that it is over. */
struct sender {
	struct feed feed; /* first */
	int asked;
	bool silent;
};

static sem_t was_ready;

static const char *next(struct feed *feed, struct call *call, bool *over)
{
	static const char *const texts[] = { "", "one", "", "two" };
	struct sender *sender = (struct sender *)feed;
	const char *text = sender->silent ? "" : texts[sender->asked % 4];

	cr_assert_str_eq(call->tenant, "t");
	*over = strcmp(text, "two") == 0;
	sender->asked++;
	return text;
}

static void ready(struct feeding *feeding)
{
	(void)feeding;
	sem_post(&was_ready);
}

static void await_ready(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	cr_assert_eq(sem_timedwait(&was_ready, &until), 0);
}

Test(feeds, ask_until_there_is_something_and_stop_at_the_end)
{
	struct sender sender = { .feed = { .next = next } }, silent = sender;
	struct call call = { .tenant = "t", .actor = "user:x" };
	struct feeding feeding = { .feed = &sender.feed, .call = &call, .ready = ready };
	struct feeding waits = { .feed = &silent.feed, .call = &call, .ready = ready };
	struct feeds *feeds = feeds_start(NULL);

	silent.silent = true;
	sem_init(&was_ready, 0, 0);
	feeds_wait(feeds, &feeding);
	await_ready();
	cr_assert_str_eq(feeding.text, "one");
	cr_assert_eq(feeding.len, 3);
	cr_assert_not(feeding.over);
	feeds_wait(feeds, &feeding);
	await_ready();
	cr_assert_str_eq(feeding.text, "two");
	cr_assert(feeding.over);
	cr_assert_eq(sender.asked, 4);

	feeds_wait(feeds, &waits);
	feeds_end(feeds);
	await_ready();
	cr_assert(waits.over);
	cr_assert_eq(waits.len, 0);
	feeds_stop(feeds);
	free(feeding.text);
	sem_destroy(&was_ready);
}
