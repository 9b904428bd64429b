/*
 * clock: see clock.h. Any thread.
 */
#include "lib/clock.h"

#include "lib/mem.h"

#include <time.h>

#define LAST_SECOND_OF_9999 253402300799LL

static int64_t read_us(clockid_t id)
{
	struct timespec now;

	if (clock_gettime(id, &now) != 0)
		BUG("clock_gettime");
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_unix_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

void clock_text(int64_t unix_s, char text[CLOCK_TEXT_LEN])
{
	time_t at = unix_s < 0 ? 0 : unix_s > LAST_SECOND_OF_9999 ? LAST_SECOND_OF_9999 : unix_s;
	struct tm utc;

	if (strftime(text, CLOCK_TEXT_LEN, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc)) == 0)
		BUG("a time without text: %lld", (long long)unix_s);
}

bool clock_read(const char *text, int64_t *unix_s)
{
	struct tm time = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &time);

	if (end == NULL || *end != '\0')
		return false;
	*unix_s = (int64_t)timegm(&time);
	return true;
}
