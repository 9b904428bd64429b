/* server_key: see server_key.h. */
#include "services/provision/profile/server_key.h"

#include "services/provision/profile/store_profile.h"
#include "services/provision/vault.h"

/* As store_sealed.c has it, too. */
static const char *use(struct call *call, const char *profile_id)
{
	return arena_printf(call->arena, "tls_crypt/%s/%s", call->tenant, profile_id);
}

const char *server_key_seal(struct call *call, const char *profile_id, const char *key)
{
	return vault_seal(call->arena, use(call, profile_id), key);
}

err_t server_key_open(struct call *call, const char *profile_id, const char **key)
{
	const char *sealed;
	err_t err = store_profile_tls_crypt(call, profile_id, &sealed);

	return err == OK ? vault_unseal(call, use(call, profile_id), sealed, key) : err;
}
