/* authority_make: see authority_make.h. */
#include "services/provision/authority_make.h"

#include "lib/clock.h"
#include "services/provision/store_pki.h"
#include "services/provision/vault.h"

#include <string.h>

#define DAY_S	   ((int64_t)24 * 60 * 60)
#define ROOT_S	   (20 * 365 * DAY_S)
#define ISSUING_S  (5 * 365 * DAY_S)
#define BACKDATE_S 3600 /* for clocks that are slow */

/* One that is being made. */
struct making {
	const char *id, *key;
	enum pki_role role;
	const char *kind, *state;
	int64_t not_after_s;
	struct pki_certificate certificate;
};

const char *authority_use(struct call *call, const char *id)
{
	return arena_printf(call->arena, "authority/%s", id);
}

/* Makes its id, key and certificate. */
static err_t sign(struct call *call, struct making *making, const struct pki_issuer *issuer)
{
	struct pki_template template = {
		.role = making->role,
		.organisation = call->tenant,
		.unit = making->kind,
		.not_before_s = clock_unix_ms() / 1000 - BACKDATE_S,
		.not_after_s = making->not_after_s,
	};
	const char *public_key;
	err_t err = store_authority_new_id(call, &making->id);

	if (err != OK)
		return err;
	template.name = making->id;
	making->key = pki_key_create(call->arena, &public_key);
	pki_sign(call->arena, &template, public_key, issuer, making->key, &making->certificate);
	return OK;
}

static err_t store(struct call *call, const struct making *making, const char *root)
{
	struct store_authority row = {
		.id = making->id,
		.kind = making->kind,
		.state = making->state,
		.root = root,
		.certificate = &making->certificate,
		.sealed_key = vault_seal(call->arena, authority_use(call, making->id), making->key),
		.not_before_s = clock_unix_ms() / 1000 - BACKDATE_S,
		.not_after_s = making->not_after_s,
	};

	return store_authority_add(call, &row);
}

/* Makes an issuing authority, its row and its first revocation list. */
static err_t add_issuing(struct call *call, const char *root, const struct pki_issuer *issuer,
	int64_t root_not_after_s, const char *state, const char **id)
{
	int64_t until_s = clock_unix_ms() / 1000 + ISSUING_S;
	struct making issuing = {
		.role = PKI_ISSUING,
		.kind = AUTHORITY_ISSUING,
		.state = state,
		.not_after_s = until_s < root_not_after_s ? until_s : root_not_after_s,
	};
	err_t err;

	if ((err = sign(call, &issuing, issuer)) != OK || (err = store(call, &issuing, root)) != OK)
		return err;
	*id = issuing.id;
	return authority_list_revoked(call, issuing.id);
}

err_t authority_make_root(struct call *call, const char *state)
{
	int64_t now_s = clock_unix_ms() / 1000;
	struct making root = {
		.role = PKI_ROOT,
		.kind = AUTHORITY_ROOT,
		.state = state,
		.not_after_s = now_s + ROOT_S,
	};
	struct pki_issuer issuer;
	const char *id;
	err_t err;

	if ((err = sign(call, &root, NULL)) != OK || (err = store(call, &root, NULL)) != OK)
		return err;
	issuer = (struct pki_issuer){ root.certificate.pem, root.key };
	err = store_crl_set(call, root.id,
		pki_crl(call->arena, &issuer, 1, now_s - BACKDATE_S, root.not_after_s, NULL, 0),
		now_s - BACKDATE_S, root.not_after_s);
	if (err != OK)
		return err;
	return add_issuing(call, root.id, &issuer, root.not_after_s, state, &id);
}

/* The key of the root: the one given, if it is the root's, or the one that is here. */
static err_t find_key(
	struct call *call, const struct db_rows *root, const char *given, const char **key)
{
	const char *sealed = db_text(root, 0, "sealed_key");

	*key = given;
	if (given != NULL)
		return pki_key_fits(given, db_text(root, 0, "certificate"))
			       ? OK
			       : call_refuse(call, ERR_INVALID_ARGUMENT, "root_key",
					 "this is not the key of the active root");
	if (*sealed == '\0')
		return call_refuse(call, ERR_FAILED_PRECONDITION, "root_key",
			"the root's key is kept elsewhere: give it with its passphrase");
	return vault_unseal(call, authority_use(call, db_text(root, 0, "id")), sealed, key);
}

err_t authority_make_issuing(struct call *call, const char *root_key, const char **id)
{
	AUTO_ROWS root = NULL;
	AUTO_ROWS old = NULL;
	struct pki_issuer issuer;
	err_t err;

	if ((err = store_authority_find(call, AUTHORITY_ROOT, "active", &root)) != OK)
		return err;
	if (db_count(root) == 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "kind",
			"this tenant has no authorities yet");
	issuer.certificate = db_text(root, 0, "certificate");
	if ((err = find_key(call, root, root_key, &issuer.key)) != OK ||
		(err = store_authority_find(call, AUTHORITY_ISSUING, "active", &old)) != OK ||
		(err = store_authority_set_state(call, db_text(old, 0, "id"), "retiring")) != OK)
		return err;
	return add_issuing(call, db_text(root, 0, "id"), &issuer, db_int(root, 0, "not_after_s"),
		"active", id);
}
