/* list: see list.h. */
#include "agents/instances/list.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static err_t refuse(struct fault *fault, const char *field, const char *name, size_t i)
{
	return fault_set(fault, ERR_INVALID_ARGUMENT, field, "entry %zu of %s: expected %s", i + 1,
		name,
		strcmp(field, "display_name") == 0 ? "a text, or an object of language and text"
						   : "an https URL that ends with a slash");
}

/* Apps put paths behind it. */
static bool is_base(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t len = text != NULL ? strlen(text) : 0;

	return len > strlen("https://") && strncmp(text, "https://", strlen("https://")) == 0 &&
	       text[len - 1] == '/';
}

static bool is_words(const json_t *value)
{
	const char *language;
	json_t *text;

	if (json_is_string(value))
		return true;
	json_object_foreach(
		(json_t *)(uintptr_t)value, language, text) if (!json_is_string(text)) return false;
	return json_object_size(value) > 0;
}

/* `url` is the member with the address of an entry; NULL: it has none that is needed. */
static err_t check_entries(
	const json_t *list, const char *name, const char *url, struct fault *fault)
{
	const json_t *entries = json_object_get(list, name), *entry;
	size_t i;

	if (!json_is_array(entries))
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, name, "expected an array with this name");
	json_array_foreach(entries, i, entry)
	{
		const json_t *kind = json_object_get(entry, "server_type");
		bool named = json_is_string(kind) &&
			     strcmp(json_string_value(kind), "secure_internet") == 0;

		if (!is_base(json_object_get(entry, url)))
			return refuse(fault, url, name, i);
		/* A server of secure internet is shown by its country. */
		if (!named && !is_words(json_object_get(entry, "display_name")))
			return refuse(fault, "display_name", name, i);
	}
	return OK;
}

bool list_is_old(const json_t *list)
{
	return json_object_get(list, "instances") != NULL;
}

err_t list_check(const json_t *list, struct fault *fault)
{
	if (list_is_old(list))
		return check_entries(list, "instances", "base_uri", fault);
	if (json_object_get(list, "organization_list") != NULL)
		return check_entries(list, "organization_list", "secure_internet_home", fault);
	return check_entries(list, "server_list", "base_url", fault);
}

int64_t list_number(const json_t *list)
{
	return json_integer_value(json_object_get(list, list_is_old(list) ? "seq" : "v"));
}

void list_raise(json_t *list, int64_t now_s)
{
	int64_t next = list_number(list) + 1;
	time_t now = (time_t)now_s;
	char signed_at[32];
	struct tm utc;

	if (!list_is_old(list)) {
		json_object_set_new(list, "v", json_integer(now_s > next ? now_s : next));
		return;
	}
	gmtime_r(&now, &utc);
	strftime(signed_at, sizeof(signed_at), "%Y-%m-%d %H:%M:%S", &utc);
	json_object_set_new(list, "seq", json_integer(next));
	json_object_set_new(list, "signed_at", json_string(signed_at));
}
