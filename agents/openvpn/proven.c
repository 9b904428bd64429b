/* proven: see proven.h. A ring: the oldest is forgotten first. */
#include "agents/openvpn/proven.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <string.h>

struct entry {
	char session[MANAGEMENT_TEXT_SIZE];
	char serial[MANAGEMENT_SERIAL_SIZE];
	int64_t since_ms;
};

struct proven {
	struct entry entries[PROVEN_COUNT];
	size_t next;
};

struct proven *proven_create(void)
{
	return xcalloc(1, sizeof(struct proven));
}

void proven_destroy(struct proven *proven)
{
	free(proven);
}

void proven_add(struct proven *proven, const struct management_event *event)
{
	struct entry *entry = &proven->entries[proven->next];

	if (event->session[0] == '\0')
		return;
	strcpy(entry->session, event->session);
	strcpy(entry->serial, event->serial);
	entry->since_ms = clock_ms();
	proven->next = (proven->next + 1) % PROVEN_COUNT;
}

bool proven_has(const struct proven *proven, const struct management_event *event)
{
	int64_t since_ms = clock_ms() - (int64_t)PROVEN_S * 1000;

	if (!event->authenticated || event->session[0] == '\0')
		return false;
	for (size_t i = 0; i < PROVEN_COUNT; i++) {
		const struct entry *entry = &proven->entries[i];

		if (strcmp(entry->session, event->session) == 0 &&
			strcmp(entry->serial, event->serial) == 0 && entry->since_ms >= since_ms)
			return true;
	}
	return false;
}
