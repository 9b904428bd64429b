/* oauth: see oauth.h. */
#include "services/auth/oauth/oauth.h"

#include "services/auth/oauth/oauth_store.h"

static struct oauth_settings current; /* set once by oauth_open */

void oauth_open(const struct oauth_settings *settings)
{
	current = *settings;
}

const struct oauth_settings *oauth_settings(void)
{
	return &current;
}

err_t oauth_purge(struct call *call)
{
	return store_oauth_purge(call);
}
