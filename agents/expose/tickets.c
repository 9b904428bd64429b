/* tickets: see tickets.h. */
#include "agents/expose/tickets.h"

#include <sodium.h>

#include <string.h>

void tickets_make(struct tickets *tickets, int64_t now_ms, int64_t life_ms, char text[TICKET_SIZE])
{
	unsigned char bytes[(TICKET_SIZE - 1) / 2];
	struct ticket *oldest = tickets->list;

	for (size_t i = 1; i < TICKETS_MAX; i++)
		if (tickets->list[i].until_ms < oldest->until_ms)
			oldest = &tickets->list[i];
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(oldest->text, sizeof(oldest->text), bytes, sizeof(bytes));
	oldest->until_ms = now_ms + life_ms;
	memcpy(text, oldest->text, TICKET_SIZE);
}

static const struct ticket *find(const struct tickets *tickets, int64_t now_ms, const char *text)
{
	const struct ticket *found = NULL;

	if (strlen(text) != TICKET_SIZE - 1)
		return NULL;
	for (size_t i = 0; i < TICKETS_MAX; i++)
		if (tickets->list[i].until_ms > now_ms &&
			sodium_memcmp(tickets->list[i].text, text, TICKET_SIZE) == 0)
			found = &tickets->list[i];
	return found;
}

bool tickets_has(const struct tickets *tickets, int64_t now_ms, const char *text)
{
	return find(tickets, now_ms, text) != NULL;
}

bool tickets_use(struct tickets *tickets, int64_t now_ms, const char *text)
{
	const struct ticket *ticket = find(tickets, now_ms, text);

	if (ticket == NULL)
		return false;
	tickets->list[ticket - tickets->list].until_ms = 0;
	return true;
}
