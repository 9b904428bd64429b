/*
 * tickets: short-lived secrets that let one browser in: a key that stands in a link once, and the
 * session that it becomes. A few at a time; the oldest makes room. Any thread, one at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TICKET_SIZE 33 /* 32 hex digits with a NUL */
#define TICKETS_MAX 16

struct tickets {
	struct ticket {
		char text[TICKET_SIZE];
		int64_t until_ms; /* clock_ms(); 0: a free place */
	} list[TICKETS_MAX];
};

/* Makes one that is good for `life_ms`. */
void tickets_make(struct tickets *tickets, int64_t now_ms, int64_t life_ms, char text[TICKET_SIZE]);

/* Is it one that is good now? Compared in constant time. */
bool tickets_has(const struct tickets *tickets, int64_t now_ms, const char *text);

/* The same, and it is good no more. */
bool tickets_use(struct tickets *tickets, int64_t now_ms, const char *text);
