/* browser: see browser.h. The first name that is found counts: browsers name their forebears too.
 */
#include "gateway/pages/account/browser.h"

#include <string.h>

#define SYSTEMS 6

static const char *const systems[SYSTEMS] = { "iPhone", "iPad", "Android", "Windows", "Mac OS X",
	"Linux" };

/* A row a browser, a column a system, the last one for any other. */
#define ROW(token, name)                                                                           \
	{                                                                                          \
		token,                                                                             \
		{                                                                                  \
			name " on an iPhone", name " on an iPad", name " on Android",              \
				name " on Windows", name " on a Mac", name " on Linux", name       \
		}                                                                                  \
	}

static const struct {
	const char *token;
	const char *names[SYSTEMS + 1];
} browsers[] = {
	ROW("Edg", "Edge"),
	ROW("OPR/", "Opera"),
	ROW("Firefox/", "Firefox"),
	ROW("FxiOS/", "Firefox"),
	ROW("CriOS/", "Chrome"),
	ROW("Chrom", "Chrome"),
	ROW("Safari/", "Safari"),
	ROW("", "A browser"),
};

const char *browser_name(const char *agent)
{
	size_t browser = 0, system = 0;

	while (strstr(agent, browsers[browser].token) == NULL)
		browser++;
	while (system < SYSTEMS && strstr(agent, systems[system]) == NULL)
		system++;
	return browsers[browser].names[system];
}
