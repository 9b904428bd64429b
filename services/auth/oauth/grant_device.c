/* grant_device: a client without a browser asks whether its person has decided (RFC 8628 section
 * 3.4). */
#include "services/auth/oauth/grant.h"

#include "services/auth/oauth/oauth.h"
#include "services/auth/oauth/oauth_store.h"

#include <string.h>

#define SLOWER_S 5 /* more, for who asks too often (RFC 8628 section 3.5) */

static err_t redeem(
	struct call *call, const char *id, const struct db_rows *row, Auth__TokenReply *reply)
{
	err_t err = store_device_code_set(call, id, "used", NULL);

	if (err != OK)
		return err;
	return grant_begin(call, id, row, "\"device_code\" is no longer authorized", reply);
}

/* RFC 8628 section 3.5 */
static err_t decide(
	struct call *call, const char *id, const struct db_rows *row, Auth__TokenReply *reply)
{
	const char *state = db_text(row, 0, "state");
	bool early = db_bool(row, 0, "early");
	err_t err = store_device_code_polled(call, id, early ? SLOWER_S : 0);

	if (err != OK)
		return err;
	if (strcmp(state, "used") == 0)
		return grant_invalid(reply, "\"device_code\" was used before");
	if (db_bool(row, 0, "expired"))
		return grant_error(reply, "expired_token", "\"device_code\" expired");
	if (strcmp(state, "denied") == 0)
		return grant_error(reply, "access_denied", "the user refused");
	if (strcmp(state, "approved") == 0)
		return redeem(call, id, row, reply);
	return early ? grant_error(reply, "slow_down", "asked before the interval was over")
		     : grant_error(reply, "authorization_pending", "the user has not decided yet");
}

err_t grant_device(struct call *call, const Auth__TokenRequest *request, Auth__TokenReply *reply)
{
	AUTO_ROWS row = NULL;
	struct client client;
	struct secret secret;
	err_t err;

	if (*request->device_code == '\0')
		return grant_missing(call, reply, "device_code");
	if (*request->client_id == '\0')
		return grant_missing(call, reply, "client_id");
	if ((err = grant_find_client(call, request->client_id, request, &client, reply)) != OK ||
		grant_refused(reply))
		return err;
	if (!secret_read(KEYRING_DEVICE_CODE, request->device_code, NULL, &secret))
		return grant_invalid(reply, "\"device_code\" has invalid signature");
	if ((err = store_device_code_find(call, secret.id, oauth_settings()->session_days, &row)) !=
		OK)
		return err;
	if (!grant_is_right(call, &secret, row))
		return grant_invalid(reply, "\"device_code\" has invalid signature");
	if (strcmp(db_text(row, 0, "client_id"), request->client_id) != 0)
		return grant_invalid_request(reply, "unexpected \"client_id\"");
	return decide(call, secret.id, row, reply);
}
