/* extra: see extra.h. */
#include "services/dns/extra.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   1000
#define STRING_MAX 255 /* of one character-string (RFC 1035 section 3.3) */

/* The name that a word stands for, in the zone unless it ends with a dot. */
static bool read_name(const char *word, const char *zone, char name[DOMAIN_LEN])
{
	char joined[DOMAIN_LEN];

	if (strcmp(word, "@") == 0)
		word = zone;
	else if (*word == '\0' || word[strlen(word) - 1] != '.')
		return domain_join(word, zone, joined) && domain_normalise(joined, name) &&
		       *name != '*';
	return domain_normalise(word, name) && *name != '*';
}

/* ---- contents: what PowerDNS can read for certain, NULL if it is none ---- */

static const char *read_address(int family, const char *text, struct arena *arena)
{
	unsigned char bytes[16];
	char canonical[ADDRESS_LEN];

	if (inet_pton(family, text, bytes) != 1)
		return NULL;
	return arena_strdup(arena, inet_ntop(family, bytes, canonical, sizeof(canonical)));
}

static const char *read_host(const char *text, const char *zone, struct arena *arena)
{
	char name[DOMAIN_LEN];

	return read_name(text, zone, name) ? arena_printf(arena, "%s.", name) : NULL;
}

static const char *read_exchange(const char *text, const char *zone, struct arena *arena)
{
	size_t digits = strspn(text, "0123456789");
	const char *host = NULL;

	if (digits > 0 && digits <= 5 && text[digits] == ' ' && atoi(text) <= UINT16_MAX)
		host = read_host(text + digits + strspn(text + digits, " "), zone, arena);
	return host != NULL ? arena_printf(arena, "%d %s", atoi(text), host) : NULL;
}

static const char *read_text(const char *text, struct arena *arena)
{
	const char *content = "";

	if (*text == '\0' || strlen(text) > TEXT_MAX)
		return NULL;
	for (const char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
			return NULL;
	for (; *text != '\0'; text += strnlen(text, STRING_MAX))
		content = arena_printf(arena, "%s%s\"%.*s\"", content, *content != '\0' ? " " : "",
			STRING_MAX, text);
	return content;
}

static const char *read_content(
	const char *type, const char *text, const char *zone, struct arena *arena)
{
	if (strcmp(type, "A") == 0)
		return read_address(AF_INET, text, arena);
	if (strcmp(type, "AAAA") == 0)
		return read_address(AF_INET6, text, arena);
	if (strcmp(type, "CNAME") == 0)
		return read_host(text, zone, arena);
	if (strcmp(type, "MX") == 0)
		return read_exchange(text, zone, arena);
	return strcmp(type, "TXT") == 0 ? read_text(text, arena) : NULL;
}

/* ---- lines ---- */

/* What is there beside it that a CNAME can't stand with, or that is ours? */
static bool is_taken(const struct records_settings *records, const char *owner, const char *type)
{
	char api[DOMAIN_LEN];
	bool alias = strcmp(type, "CNAME") == 0;

	if (strcmp(owner, records->server) == 0 ||
		(domain_join("api", records->names_zone, api) && strcmp(owner, api) == 0))
		return true;
	if (alias && strcmp(owner, records->names_zone) == 0)
		return true;
	for (size_t i = 0; i < records->n_extra; i++)
		if (strcmp(records->extra[i].owner, owner) == 0 &&
			(alias || strcmp(records->extra[i].type, "CNAME") == 0))
			return true;
	return false;
}

/* What is wrong with the line, NULL if nothing is. */
static const char *read_line(char *line, struct arena *arena, struct records_settings *records)
{
	struct records_extra *extra = &records->extra[records->n_extra];
	char *rest = line, *owner, *type;

	rest[strcspn(rest, "\r\n")] = '\0';
	rest += strspn(rest, " \t");
	if (*rest == '\0' || *rest == '#')
		return NULL;
	owner = strsep(&rest, " \t");
	type = rest != NULL ? strsep(&rest, " \t") : NULL;
	if (rest == NULL)
		return "expected OWNER TYPE CONTENT, separated by blanks";
	if (records->n_extra == EXTRA_MAX)
		return "expected fewer records";
	if (!read_name(owner, records->names_zone, extra->owner) ||
		domain_prefix(extra->owner, records->names_zone) < 0)
		return "expected an owner in the zone of names";
	if (is_taken(records, extra->owner, type))
		return "expected an owner that these records can stand at";
	extra->type = arena_strdup(arena, type);
	extra->content = read_content(type, rest, records->names_zone, arena);
	if (extra->content == NULL)
		return "expected a record of type A, AAAA, CNAME, MX or TXT with its content";
	records->n_extra++;
	return NULL;
}

err_t extra_read(const char *path, struct arena *arena, struct records_settings *records,
	struct fault *fault)
{
	AUTO_FREE char *line = NULL;
	const char *wrong = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");
	int number = 0;

	if (file == NULL)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_RECORDS_FILE", "%s: %s",
			path, strerror(errno));
	records->extra = arena_alloc(arena, EXTRA_MAX * sizeof(*records->extra));
	while (wrong == NULL && getline(&line, &size, file) >= 0) {
		number++;
		wrong = read_line(line, arena, records);
	}
	fclose(file);
	if (wrong == NULL)
		return OK;
	return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_DNS_RECORDS_FILE", "%s line %d: %s",
		path, number, wrong);
}

const char *extra_reserved(
	const struct records_settings *records, const char *reserved, struct arena *arena)
{
	for (size_t i = 0; i < records->n_extra; i++) {
		const char *owner = records->extra[i].owner;
		int end = domain_prefix(owner, records->names_zone), start = end;

		while (start > 0 && owner[start - 1] != '.')
			start--;
		if (end > 0)
			reserved = arena_printf(
				arena, "%s %.*s", reserved, end - start, owner + start);
	}
	return reserved;
}
