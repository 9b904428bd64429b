/* settings: see settings.h. */
#include "services/provision/manifest/settings.h"

#include "lib/check.h"
#include "lib/json.h"
#include "proto/portal.pb-c.h"

#include <string.h>

#define LETTERS	      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define INTERFACE_MAX 15
#define WORD_MAX      32
#define PROXY_MAX     255

static err_t check_plain(
	struct call *call, const char *name, const char *value, const char *more, size_t max)
{
	size_t len = strlen(value), i = 0;

	while (i < len && (strchr(LETTERS, value[i]) != NULL || strchr(more, value[i]) != NULL))
		i++;
	if (i == len && len <= max)
		return OK;
	return call_refuse(call, ERR_INVALID_ARGUMENT, name,
		"expected at most %zu letters, digits and %s", max, more);
}

static err_t check_members(struct call *call, const Provision__AgentSettings *settings)
{
	err_t err;

	if (*settings->network != '\0' &&
		(err = check_label(call, "network", settings->network)) != OK)
		return err;
	if ((err = check_plain(call, "interface", settings->interface, "._-", INTERFACE_MAX)) !=
			OK ||
		(err = check_plain(call, "congestion", settings->congestion, "_-", WORD_MAX)) != OK)
		return err;
	if (*settings->proxy != '\0' && strncmp(settings->proxy, "http://", 7) != 0 &&
		strncmp(settings->proxy, "socks5://", 9) != 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "proxy",
			"expected http://HOST:PORT or socks5://HOST:PORT");
	return check_plain(call, "proxy", settings->proxy, "._-:/[]", PROXY_MAX);
}

err_t settings_check(struct call *call, const char *text)
{
	Provision__AgentSettings settings = PROVISION__AGENT_SETTINGS__INIT;
	err_t err = OK;

	if (*text == '\0')
		return OK;
	if ((err = json_read(call, text, strlen(text), NULL, &settings.base)) == OK)
		err = check_members(call, &settings);
	if (err != OK)
		err = call_refuse(call, err, "agent_settings", "%s: %s",
			arena_strdup(call->arena, call->fault.field),
			arena_strdup(call->arena, call->fault.detail));
	return err;
}
