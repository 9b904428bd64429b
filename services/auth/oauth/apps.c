/* apps: one row an app, see apps.h. */
#include "services/auth/oauth/apps.h"

#include <string.h>

#define URIS_MAX 5

#define LOOPBACK "http://127.0.0.1:{PORT}/callback", "http://[::1]:{PORT}/callback"

/* clang-format off */
#define APPS(id, name, host)                                                                    \
	{ id ".windows", name " for Windows", { LOOPBACK } },                                   \
	{ id ".linux", name " for Linux", { id ":/api/callback", LOOPBACK } },                  \
	{ id ".macos", name " for macOS",                                                       \
		{ id ":/api/callback", id ".macos:/api/callback", LOOPBACK } },                 \
	{ id ".android", name " for Android",                                                   \
		{ id ":/api/callback", id ".android:/api/callback",                             \
			"https://android.app." host "/api/callback" } },                        \
	{ id ".ios", name " for iOS",                                                           \
		{ id ".ios:/api/callback", "https://ios.app." host "/auth/app/redirect/" } }

static const struct app {
	const char *client_id, *name;
	const char *redirect_uris[URIS_MAX];
} apps[] = {
	APPS("org.eduvpn.app", "eduVPN", "eduvpn.org"),
	APPS("org.letsconnect-vpn.app", "Let's Connect!", "letsconnect-vpn.org"),
	APPS("org.govvpn.app", "govVPN", "govvpn.org"),
	{ "org.eduvpn.app", "eduVPN (legacy)", { "org.eduvpn.app:/api/callback", LOOPBACK } },
};
/* clang-format on */

static const char *const scopes[] = { "config" };

bool app_find(const char *client_id, Auth__OauthClient *client)
{
	for (size_t i = 0; i < ARRAY_LEN(apps); i++) {
		const struct app *app = &apps[i];

		if (strcmp(app->client_id, client_id) != 0)
			continue;
		client->client_id = (char *)(uintptr_t)app->client_id;
		client->name = (char *)(uintptr_t)app->name;
		client->redirect_uris = (char **)(uintptr_t)app->redirect_uris;
		while (client->n_redirect_uris < URIS_MAX &&
			app->redirect_uris[client->n_redirect_uris] != NULL)
			client->n_redirect_uris++;
		client->scopes = (char **)(uintptr_t)scopes;
		client->n_scopes = ARRAY_LEN(scopes);
		client->approval = true;
		return true;
	}
	return false;
}
