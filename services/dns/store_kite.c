/* store_kite: see store_kite.h. */
#include "services/dns/store_kite.h"

#include "lib/db.h"
#include "lib/keyring.h"

#include <stdio.h>

static bool are_kept;

void store_kite_init(bool kept)
{
	are_kept = kept;
}

err_t store_kite_forget(struct call *call)
{
	static const struct db_statement forget = {
		"UPDATE dns.registration SET kite = NULL WHERE kite IS NOT NULL"
	};

	return are_kept ? OK : db_query(call, &forget, NULL, 0, NULL);
}

err_t store_kite_keep(struct call *call, const char *tenant, const char *id, const char *token)
{
	static const struct db_statement keep = {
		"UPDATE dns.registration SET kite = $3, changed = pg_current_xact_id()"
		" WHERE tenant_id = $1 AND id = $2 AND kite IS NULL AND kind = 'tunnel'"
	};

	if (!are_kept)
		return OK;
	return DB_QUERY(
		call, &keep, NULL, tenant, id, keyring_seal(call->arena, KEYRING_KITE, token));
}

void store_kite_open(const char *sealed, char secret[KITE_SECRET_LEN])
{
	AUTO_ARENA arena = arena_create();
	const char *text;

	*secret = '\0';
	if (*sealed != '\0' && keyring_unseal(arena, KEYRING_KITE, sealed, &text) == OK)
		snprintf(secret, KITE_SECRET_LEN, "%s", text);
}
