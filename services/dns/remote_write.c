/* remote_write: records as JSON, written directly: it is half of the work of an answer. */
#include "services/dns/remote_method.h"

#include <stdio.h>
#include <string.h>

#define NUMBERS_MAX 128 /* bytes of a record that are no text of it */

/* In quotation marks; what is not printable never gets into a record. */
static char *put_text(char *at, const char *text)
{
	*at++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at++ = '"';
	return at;
}

/* What PowerDNS takes for granted is left out of a whole zone, whose length is limited there. */
static char *put_record(char *at, const struct record *record, bool of_zone)
{
	at = stpcpy(at, "{\"qname\":");
	at = put_text(at, record->owner);
	at = stpcpy(at - 1, ".\",\"qtype\":");
	at = put_text(at, record->type);
	at = stpcpy(at, ",\"content\":");
	at = put_text(at, record->content);
	at += sprintf(at, ",\"ttl\":%d", record->ttl);
	if (!of_zone)
		at += sprintf(at, ",\"domain_id\":%d,\"auth\":true", record->zone);
	return stpcpy(at, "}");
}

static size_t size_of(const struct record *record)
{
	return NUMBERS_MAX + strlen(record->owner) + strlen(record->type) +
	       2 * strlen(record->content);
}

const char *remote_write(const struct records *records)
{
	size_t size = NUMBERS_MAX;
	char *text, *at;

	for (size_t i = 0; i < records->n; i++)
		size += size_of(&records->items[i]);
	text = arena_alloc(records->arena, size);
	at = stpcpy(text, "{\"result\":[");
	for (size_t i = 0; i < records->n; i++) {
		if (i > 0)
			*at++ = ',';
		at = put_record(at, &records->items[i], records->of_zone);
	}
	strcpy(at, "]}");
	return text;
}
