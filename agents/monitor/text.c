/* text: see text.h. */
#include "agents/monitor/text.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#define HOUR_S 3600
#define DAY_S  (24 * HOUR_S)

/* The next character of `text`: its bytes and columns; 0 columns: it can't be shown. */
static size_t next_character(const char *text, unsigned *columns)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t len = mbrtowc(&wide, text, strlen(text), &state);
	int width;

	*columns = 0;
	if (len == (size_t)-1 || len == (size_t)-2 || len == 0)
		return 1;
	width = wcwidth(wide);
	*columns = width > 0 ? (unsigned)width : 0;
	return len;
}

void text_fit(char *out, size_t size, const char *text, unsigned columns)
{
	size_t n = 0;

	while (*text != '\0') {
		unsigned width;
		size_t len = next_character(text, &width);
		const char *shown = width > 0 ? text : "?";
		size_t shown_len = width > 0 ? len : 1;

		width = width > 0 ? width : 1;
		if (width > columns || n + shown_len + columns - width >= size)
			break;
		memcpy(out + n, shown, shown_len);
		n += shown_len;
		columns -= width;
		text += len;
	}
	while (columns > 0 && n + 1 < size) {
		out[n++] = ' ';
		columns--;
	}
	out[n] = '\0';
}

void text_bytes(char out[TEXT_SHORT], uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit < ARRAY_LEN(units) - 1) {
		value /= 1000;
		unit++;
	}
	snprintf(out, TEXT_SHORT, "%.*f %s",
		unit == 0 || value >= 99.95 ? 0
		: value >= 9.995	    ? 1
					    : 2,
		value, units[unit]);
}

void text_duration(char out[TEXT_SHORT], int64_t seconds)
{
	int64_t s = seconds < 0 ? 0 : seconds;

	if (s >= DAY_S)
		snprintf(out, TEXT_SHORT, "%d d %d h", (int)(s / DAY_S), (int)(s % DAY_S / HOUR_S));
	else
		snprintf(out, TEXT_SHORT, "%02d:%02d:%02d", (int)(s / HOUR_S),
			(int)(s % HOUR_S / 60), (int)(s % 60));
}

int64_t text_time(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	return end && strcmp(end, "Z") == 0 ? (int64_t)timegm(&tm) : 0;
}
