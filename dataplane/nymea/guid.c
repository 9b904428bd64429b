/*
 * guid: see guid.h.
 */
#include "dataplane/nymea/guid.h"

#include <ctype.h>
#include <string.h>

#define LEN (UUID_SIZE - 1)

bool guid_parse(const char *text, char uuid[UUID_SIZE])
{
	size_t len = strlen(text);
	bool null = true;

	if (len == LEN + 2 && text[0] == '{' && text[len - 1] == '}')
		text++;
	else if (len != LEN)
		return false;
	for (size_t i = 0; i < LEN; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
		null = null && (hyphen || text[i] == '0');
		uuid[i] = (char)tolower((unsigned char)text[i]);
	}
	uuid[LEN] = '\0';
	return !null;
}
