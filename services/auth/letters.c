/* letters: see letters.h. */
#include "services/auth/letters.h"

#include <sodium.h>

#include <ctype.h>
#include <string.h>

/* No vowels, so that no word comes out (RFC 8628 section 6.1). */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";

const char *letters_random(struct arena *arena, size_t n)
{
	char code[LETTERS_MAX + 1] = "";

	for (size_t i = 0; i < n && i < LETTERS_MAX; i++)
		code[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	return arena_strdup(arena, code);
}

const char *letters_read(struct arena *arena, const char *typed, size_t n)
{
	char code[LETTERS_MAX + 1] = "";
	size_t len = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == '-' || *typed == ' ')
			continue;
		if (len == n)
			return "";
		code[len++] = (char)toupper((unsigned char)*typed);
	}
	return strspn(code, letters) == n ? arena_strdup(arena, code) : "";
}
