/* domain: see domain.h. */
#include "services/dns/domain.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool labels_are_fine(const char *name)
{
	if (name[0] == '*' && name[1] == '.')
		name += 2;
	for (;; name++) {
		size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

		if (len < 1 || len >= LABEL_LEN)
			return false;
		name += len;
		if (*name == '\0')
			return true;
		if (*name != '.')
			return false;
	}
}

bool domain_normalise(const char *name, char out[DOMAIN_LEN])
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= DOMAIN_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	out[len] = '\0';
	return labels_are_fine(out);
}

int domain_prefix(const char *name, const char *zone)
{
	size_t len = strlen(name), zone_len = strlen(zone);

	if (len < zone_len || strcmp(name + len - zone_len, zone) != 0)
		return -1;
	if (len == zone_len)
		return 0;
	return name[len - zone_len - 1] == '.' ? (int)(len - zone_len - 1) : -1;
}

const char *domain_parent(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL ? dot + 1 : NULL;
}

bool domain_join(const char *label, const char *name, char out[DOMAIN_LEN])
{
	int n = snprintf(out, DOMAIN_LEN, "%s.%s", label, name);

	return n > 0 && n < DOMAIN_LEN;
}

/* The label that ends before `end`: where it starts. */
static size_t label_start(const char *name, size_t end)
{
	while (end > 0 && name[end - 1] != '.')
		end--;
	return end;
}

int domain_compare(const char *a, const char *b)
{
	size_t a_end = strlen(a), b_end = strlen(b);

	while (a_end > 0 && b_end > 0) {
		size_t a_at = label_start(a, a_end), b_at = label_start(b, b_end);
		size_t a_len = a_end - a_at, b_len = b_end - b_at;
		int order = memcmp(a + a_at, b + b_at, a_len < b_len ? a_len : b_len);

		if (order != 0)
			return order;
		if (a_len != b_len)
			return a_len < b_len ? -1 : 1;
		a_end = a_at > 0 ? a_at - 1 : 0;
		b_end = b_at > 0 ? b_at - 1 : 0;
	}
	return (a_end > 0) - (b_end > 0);
}
