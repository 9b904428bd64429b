/*
 * splitter: see splitter.h.
 */
#include "dataplane/nymea/splitter.h"

#include "lib/mem.h"

#include <string.h>

void splitter_finish(struct splitter *splitter)
{
	free(splitter->text);
	*splitter = (struct splitter){ 0 };
}

void splitter_add(struct splitter *splitter, const void *data, size_t len)
{
	size_t waiting = splitter->len - splitter->given;

	if (splitter->given > 0) {
		memmove(splitter->text, splitter->text + splitter->given, waiting);
		splitter->scanned -= splitter->given;
		splitter->given = 0;
	}
	splitter->len = waiting;
	if (waiting + len > splitter->capacity) {
		splitter->capacity = waiting + len;
		splitter->text = xrealloc(splitter->text, splitter->capacity);
	}
	if (len > 0)
		memcpy(splitter->text + waiting, data, len);
	splitter->len += len;
}

/* Gives out what is before `end`; the next one begins at `next`. */
static bool give(struct splitter *splitter, size_t end, size_t next, const char **text, size_t *len)
{
	*text = splitter->text + splitter->given;
	*len = end - splitter->given;
	splitter->given = splitter->scanned = next;
	return true;
}

static bool ends_whole(const struct splitter *splitter)
{
	const char *end = splitter->text + splitter->len;
	size_t waiting = splitter->len - splitter->given;

	return (waiting >= 1 && end[-1] == '}') ||
	       (waiting >= 2 && end[-2] == '}' && end[-1] == '\n');
}

bool splitter_next(struct splitter *splitter, const char **text, size_t *len)
{
	size_t at = splitter->scanned;

	if (!splitter->text)
		return false;
	while (at + 3 <= splitter->len) {
		const char *brace = memchr(splitter->text + at, '}', splitter->len - at - 2);

		if (!brace)
			break;
		at = (size_t)(brace - splitter->text);
		if (brace[1] == '\n' && brace[2] == '{')
			return give(splitter, at + 1, at + 2, text, len);
		at++;
	}
	if (ends_whole(splitter))
		return give(splitter, splitter->len, splitter->len, text, len);
	splitter->scanned =
		splitter->len > splitter->given + 2 ? splitter->len - 2 : splitter->given;
	if (splitter->given == splitter->len)
		splitter_finish(splitter);
	return false;
}

bool splitter_overflows(const struct splitter *splitter)
{
	return splitter->len - splitter->given > SPLITTER_MAX;
}

void splitter_rest(struct splitter *splitter, const char **text, size_t *len)
{
	*text = "";
	*len = 0;
	if (splitter->text)
		give(splitter, splitter->len, splitter->len, text, len);
}
