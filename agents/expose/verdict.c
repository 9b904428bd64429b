/* verdict: see verdict.h. The words are those of uacme 1.7. */
#include "agents/expose/verdict.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define NO_EXEC 127 /* exit status of helper.c: uacme could not be run */

/* ---- pieces of what it said ---- */

/* What follows the last `words`, up to the end of the line; false if they are not there. */
static bool rest_of_line(const char *said, const char *words, char *out, unsigned size)
{
	const char *found = NULL;
	int len;

	for (const char *at = said; (at = strstr(at, words)) != NULL; at++)
		found = at;
	if (found == NULL)
		return false;
	found += strlen(words);
	len = (int)strcspn(found, "\r\n");
	return snprintf(out, size, "%.*s", len, found) < (int)size;
}

/* The text of a member of the problem document that it printed, one member a line. */
static bool member(const char *said, const char *name, char *out, unsigned size)
{
	char words[32];
	size_t len;

	snprintf(words, sizeof(words), "\"%s\": \"", name);
	if (!rest_of_line(said, words, out, size))
		return false;
	len = strlen(out);
	while (len > 0 && strchr("\",", out[len - 1]) != NULL)
		out[--len] = '\0';
	return true;
}

/* The last line that it said; without its name. */
static void last_line(const char *said, char *out, unsigned size)
{
	static const char name[] = "uacme: ";
	const char *end = said + strlen(said), *begin;

	while (end > said && strchr("\r\n", end[-1]) != NULL)
		end--;
	for (begin = end; begin > said && begin[-1] != '\n';)
		begin--;
	if (strncmp(begin, name, strlen(name)) == 0)
		begin += strlen(name);
	snprintf(out, size, "%.*s", (int)(end - begin), begin);
}

bool verdict_account(const char *said, char *url, unsigned size)
{
	static const char *const words[] = { "account created at ", "Account already exists at ",
		"account location: " };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (rest_of_line(said, words[i], url, size) && strncmp(url, "https://", 8) == 0)
			return true;
	return false;
}

bool verdict_no_account(const char *said)
{
	return strstr(said, "no account associated with") != NULL ||
	       strstr(said, "accountDoesNotExist") != NULL;
}

/* ---- the verdict ---- */

static void set(struct verdict *verdict, const char *reason, const char *text, const char *detail)
{
	verdict->reason = reason;
	snprintf(verdict->text, sizeof(verdict->text), "%s%s%s", text,
		*text != '\0' && *detail != '\0' ? ": " : "", detail);
}

/* The authority spoke of an error. */
static void read_error(struct verdict *verdict, const char *said)
{
	static const char *const of_dns[] = { "error:dns", "error:unauthorized",
		"error:incorrectResponse", "error:connection" };
	char type[80] = "", detail[200] = "";
	bool challenge = strstr(said, "failed with status invalid") != NULL;

	member(said, "type", type, sizeof(type));
	if (!member(said, "detail", detail, sizeof(detail)))
		snprintf(detail, sizeof(detail), "%s", type);
	for (size_t i = 0; challenge && i < ARRAY_LEN(of_dns); i++)
		if (strstr(type, of_dns[i]) != NULL) {
			set(verdict, "dns", "the authority did not find the challenge", detail);
			return;
		}
	set(verdict, "ca", "the authority refuses", detail);
}

static void read_unreachable(struct verdict *verdict, const char *said)
{
	char why[160] = "";

	if (!rest_of_line(said, " failed: ", why, sizeof(why)))
		last_line(said, why, sizeof(why));
	if (strstr(why, "SSL") != NULL)
		set(verdict, "ca",
			"the authority's own certificate is not trusted (a private authority needs "
			"--acme-ca FILE; look at the clock, too)",
			why);
	else
		set(verdict, "ca", "can't reach the authority", why);
}

void verdict_read(struct verdict *verdict, const struct verdict_of *of)
{
	char line[200];

	last_line(of->said, line, sizeof(line));
	if (of->clock_is_behind)
		set(verdict, "clock", "this machine's clock is behind: set it", line);
	else if (of->api != NULL)
		set(verdict, "api", "the portal did not take the challenge", of->api);
	else if (WIFEXITED(of->status) && WEXITSTATUS(of->status) == NO_EXEC)
		set(verdict, "helper", "uacme is needed: install the package of this name", line);
	else if (!WIFEXITED(of->status))
		set(verdict, "helper", "uacme did not end by itself", line);
	else if (strstr(of->said, "the server reported the following error") != NULL)
		read_error(verdict, of->said);
	else if (strstr(of->said, "curl_") != NULL)
		read_unreachable(verdict, of->said);
	else
		set(verdict, "helper", "uacme failed", line);
}
