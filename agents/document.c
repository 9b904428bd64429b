/* document: see document.h. */
#include "agents/document.h"

#include <string.h>

void document_free_at(json_t **document)
{
	json_decref(*document);
}

json_t *document_read(const char *text, size_t len)
{
	json_t *document = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(document))
		return document;
	json_decref(document);
	return NULL;
}

bool document_text(const json_t *document, const char *member, const char *alphabet, size_t min,
	char *out, size_t size)
{
	const json_t *value = json_object_get(document, member);
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (text == NULL || len < min || len >= size)
		return false;
	if (alphabet != NULL && strspn(text, alphabet) != len)
		return false;
	memcpy(out, text, len + 1);
	return true;
}
