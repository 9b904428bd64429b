/* signer: see signer.h. */
#include "services/provision/manifest/signer.h"

#include "lib/clock.h"
#include "services/provision/authority.h"
#include "services/provision/certificates.h"
#include "services/provision/manifest/store_manifest.h"
#include "services/provision/vault.h"

#include <string.h>

#define DAY_S	   ((int64_t)24 * 60 * 60)
#define LIFETIME_S (90 * DAY_S)
#define RENEW_S	   (45 * DAY_S) /* before its end */
#define BACKDATE_S 300		/* for clocks that are slow */

static const char *use(struct call *call)
{
	return arena_printf(call->arena, "signer/%s", call->tenant);
}

static err_t make(struct call *call, const struct authority_signer *authority,
	const char **certificate, const char **key)
{
	int64_t now_s = clock_unix_ms() / 1000, end_s = now_s + LIFETIME_S;
	const struct pki_template template = {
		.role = PKI_SIGNER,
		.organisation = call->tenant,
		.unit = "signer",
		.name = call->tenant,
		.not_before_s = now_s - BACKDATE_S,
		.not_after_s = end_s < authority->not_after_s ? end_s : authority->not_after_s,
	};
	struct pki_certificate made;
	const char *public_key;

	*key = pki_key_create(call->arena, &public_key);
	pki_sign(call->arena, &template, public_key, &authority->issuer, NULL, &made);
	*certificate = made.pem;
	return store_signer_set(call, authority->id, made.pem,
		vault_seal(call->arena, use(call), *key), template.not_after_s);
}

/* What there is, or a new one. */
static err_t find(struct call *call, const struct authority_signer *authority,
	const char **certificate, const char **key)
{
	AUTO_ROWS row = NULL;
	err_t err = store_signer_get(call, &row);

	if (err != OK)
		return err;
	if (db_count(row) == 0 || strcmp(db_text(row, 0, "authority"), authority->id) != 0 ||
		db_int(row, 0, "not_after_s") < clock_unix_ms() / 1000 + RENEW_S)
		return make(call, authority, certificate, key);
	*certificate = arena_strdup(call->arena, db_text(row, 0, "certificate"));
	return vault_unseal(call, use(call), db_text(row, 0, "sealed_key"), key);
}

err_t signer_sign(struct call *call, Provision__SignedManifest *message)
{
	Provision__Authorities authorities = PROVISION__AUTHORITIES__INIT;
	struct authority_signer authority;
	const char *certificate, *key;
	err_t err;

	if ((err = authority_signer(call, &authority)) != OK ||
		(err = find(call, &authority, &certificate, &key)) != OK ||
		(err = authorities_read(call, &authorities)) != OK)
		return err;
	message->signature = (char *)(uintptr_t)pki_signature(call->arena, key, message->manifest);
	message->chain =
		arena_printf(call->arena, "%s%s", certificate, authority.issuer.certificate);
	message->trust = authorities.trust;
	return OK;
}
