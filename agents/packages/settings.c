/* settings: see settings.h. */
#include "agents/packages/settings.h"

#include "agents/document.h"
#include "agents/state.h"

#include "lib/mem.h"

#include <string.h>

#define FILE_MAX 16384

/* One that is not there is left empty. */
static err_t take(
	const json_t *object, const char *member, char *out, size_t size, struct fault *fault)
{
	*out = '\0';
	if (json_object_get(object, member) == NULL ||
		document_text(object, member, NULL, 0, out, size))
		return OK;
	return fault_set(fault, ERR_INVALID_ARGUMENT, member,
		"--settings: %s: expected a text of at most %zu bytes", member, size - 1);
}

err_t settings_read(struct settings *settings, const char *path, struct fault *fault)
{
	AUTO_DOCUMENT object = NULL;
	AUTO_FREE char *text = NULL;
	err_t err = state_read_file(path, FILE_MAX, &text, fault);

	if (err != OK)
		return err;
	if ((object = document_read(text, strlen(text))) == NULL)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "settings",
			"--settings: %.180s: expected a JSON object", path);
	if ((err = take(object, "network", settings->network, sizeof(settings->network), fault)) !=
			OK ||
		(err = take(object, "interface", settings->interface, sizeof(settings->interface),
			 fault)) != OK ||
		(err = take(object, "congestion", settings->congestion,
			 sizeof(settings->congestion), fault)) != OK)
		return err;
	return take(object, "proxy", settings->proxy, sizeof(settings->proxy), fault);
}
