/*
 * hosts: the setting's rows in an array, looked through once a request.
 */
#include "dataplane/admit/hosts.h"

#include "lib/check.h"
#include "lib/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- the setting ---- */

static bool is_name(const char *text)
{
	char label[64];

	for (;; text++) {
		size_t len = strcspn(text, ".");

		if (len == 0 || len >= sizeof(label))
			return false;
		snprintf(label, sizeof(label), "%.*s", (int)len, text);
		if (!check_is_label(label))
			return false;
		text += len;
		if (*text == '\0')
			return true;
	}
}

static bool is_pattern(const char *text)
{
	if (strlen(text) > HOSTS_NAME_MAX)
		return false;
	return strcmp(text, "*") == 0 || is_name(strncmp(text, "*.", 2) == 0 ? text + 2 : text);
}

static bool parse_word(struct virtual_host *host, const char *word)
{
	static const struct {
		const char *word;
		enum host_face face;
	} faces[] = { { "face=l2", HOST_L2 }, { "face=pair", HOST_PAIR } };
	static const char tenant[] = "tenant=", network[] = "network=";
	const char *id = word + strcspn(word, "=") + 1;

	for (size_t i = 0; i < ARRAY_LEN(faces); i++)
		if (strcmp(word, faces[i].word) == 0) {
			host->face = faces[i].face;
			return true;
		}
	if (strncmp(word, tenant, strlen(tenant)) == 0 && check_is_uuid(id))
		memcpy(host->tenant, id, UUID_SIZE);
	else if (strncmp(word, network, strlen(network)) == 0 && check_is_uuid(id))
		memcpy(host->network, id, UUID_SIZE);
	else
		return false;
	return true;
}

static const char *parse_row(struct hosts *hosts, char *row)
{
	struct virtual_host *host = &hosts->rows[hosts->n];
	char *word = strsep(&row, " ");

	if (hosts->n == HOSTS_MAX)
		return "there are more than 256";
	if (!is_pattern(word))
		return "a name is none: expected NAME, *.NAME or *, in lower case";
	for (size_t i = 0; i < hosts->n; i++)
		if (strcmp(hosts->rows[i].name, word) == 0)
			return "a name is there twice";
	snprintf(host->name, sizeof(host->name), "%s", word);
	while ((word = strsep(&row, " ")))
		if (*word != '\0' && !parse_word(host, word))
			return "what follows a name is tenant=UUID, network=UUID, face=l2 or "
			       "face=pair";
	if (host->face == HOST_PAIR && *host->network != '\0')
		return "pairs have no network";
	hosts->n++;
	return NULL;
}

err_t hosts_parse(struct hosts *hosts, const char *list, struct fault *fault)
{
	AUTO_FREE char *copy = xstrdup(list);
	char *rest = *list != '\0' ? copy : NULL;
	const char *why = NULL;

	memset(hosts, 0, sizeof(*hosts));
	for (char *row; !why && (row = strsep(&rest, ","));)
		why = parse_row(hosts, row + strspn(row, " "));
	return why ? fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_HOSTS", "%s", why) : OK;
}

/* ---- a request ---- */

/* The name alone: without a port and a dot at its end, in lower case. False: it is too long. */
static bool normalise(const char *text, char name[HOSTS_NAME_MAX + 1])
{
	size_t len = *text == '[' ? strcspn(text, "]") : strcspn(text, ":");

	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len > HOSTS_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)text[i]);
	name[len] = '\0';
	return true;
}

/* How much the row's name says about this one; 0: it is not for it. */
static size_t weigh(const struct virtual_host *host, const char *name)
{
	const char *tail = host->name + 1;
	size_t len = strlen(tail), name_len = strlen(name);

	if (*host->name != '*')
		return strcmp(host->name, name) == 0 ? SIZE_MAX : 0;
	return name_len > len && strcmp(name + name_len - len, tail) == 0 ? 1 + len : 0;
}

static const struct virtual_host *find(const struct hosts *hosts, const char *name)
{
	const struct virtual_host *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < hosts->n; i++) {
		size_t weight = weigh(&hosts->rows[i], name);

		if (weight > most) {
			most = weight;
			best = &hosts->rows[i];
		}
	}
	return best;
}

unsigned hosts_find(const struct hosts *hosts, const char *host, const char *asked,
	const struct virtual_host **out, const char **why)
{
	static const struct virtual_host everything = { .name = "*" };
	char name[HOSTS_NAME_MAX + 1], sni[HOSTS_NAME_MAX + 1];

	*out = &everything;
	if (hosts->n == 0)
		return 0;
	if (!host)
		host = asked ? asked : "";
	*why = "TLS was asked for another host than Host names.";
	if (!normalise(host, name) || !normalise(asked ? asked : host, sni) ||
		strcmp(name, sni) != 0)
		return 421;
	*why = "This node has no such host.";
	*out = find(hosts, name);
	return *out ? 0 : 421;
}

bool host_admits(const struct virtual_host *host, const struct token_claims *claims)
{
	if (*host->tenant != '\0' && strcmp(host->tenant, claims->tenant) != 0)
		return false;
	return *host->network == '\0' || strcmp(host->network, claims->network) == 0;
}
