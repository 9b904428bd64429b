/* await: see await.h. */
#include "dataplane/admit/await.h"

#include "dataplane/dataplane.h"
#include "dataplane/trunk/trunks.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <sodium.h>

#include <string.h>

struct await {
	struct home_wait wait; /* first */
	struct dataplane *dataplane;
	struct http *http; /* NULL: it has gone */
	struct token_claims claims;
	char *token;
	const struct virtual_host *host;
	await_done *done;
};

static void forget(struct await *await)
{
	sodium_memzero(await->token, strlen(await->token));
	free(await->token);
	free(await);
}

/* It may have been revoked meanwhile, when there was no session to end. */
static bool is_good(const struct await *await)
{
	struct token_claims claims;

	return verifier_check(await->dataplane->verifier, await->token, strlen(await->token),
		       clock_unix_ms() / 1000, &claims) == OK;
}

static void on_over(struct home_wait *wait)
{
	struct await *await = (struct await *)wait;

	if (await->http && is_good(await))
		await->done(await->dataplane, await->http,
			&(struct admitted){ &await->claims, await->token, await->host });
	else if (await->http)
		http_answer(await->http, 401, "The token is not valid any more.");
	forget(await);
}

void await_home(struct dataplane *dataplane, struct http *http, const struct admitted *admitted,
	await_done *done)
{
	const struct token_claims *claims = admitted->claims;
	struct await *await;

	if (!dataplane->trunks) {
		done(dataplane, http, admitted);
		return;
	}
	await = xcalloc(1, sizeof(*await));
	*await = (struct await){
		.wait = { .over = on_over },
		.dataplane = dataplane,
		.http = http,
		.claims = *claims,
		.token = xstrdup(admitted->token),
		.host = admitted->host,
		.done = done,
	};
	if (trunks_await_home(dataplane->trunks, claims->tenant, claims->network, &await->wait)) {
		http_set_owner(http, &await->http);
		return;
	}
	forget(await);
	done(dataplane, http, admitted);
}
