/* notices: what people are told, as API 2 has it. The language of a message is the app's to choose.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "lib/json.h"

#include <string.h>

/* No app of the time knows "motd". */
static const char *kind_of(const Provision__Notice *notice)
{
	return strcmp(notice->kind, "motd") == 0 ? "notification" : notice->kind;
}

static const char *one(struct arena *arena, const Provision__Notice *notice)
{
	const char *times = "";

	if (strcmp(notice->kind, "maintenance") == 0)
		times = arena_printf(arena, ",\"begin\":%s,\"end\":%s",
			json_text(arena, notice->begins_at), json_text(arena, notice->ends_at));
	return arena_printf(arena, "{\"type\":%s,\"date_time\":%s,\"message\":%s%s}",
		json_text(arena, kind_of(notice)), json_text(arena, notice->created_at),
		eduvpn_words(arena, notice->message, notice->n_translations, notice->translations),
		times);
}

const char *eduvpn_notices(struct arena *arena, const Provision__NoticeList *list)
{
	const char *json = "[";

	for (size_t i = 0; i < list->n_items; i++)
		json = arena_printf(
			arena, "%s%s%s", json, i > 0 ? "," : "", one(arena, list->items[i]));
	return arena_printf(arena, "%s]", json);
}
