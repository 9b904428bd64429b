/*
 * authority: see authority.h. A root and its issuing authority are made together; a root's
 * revocation list is signed once, while its key is here, and is good as long as the root: nothing
 * that a root signed is ever revoked, it goes out of trust with its root.
 */
#include "services/provision/authority.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "services/provision/authority_make.h"
#include "services/provision/store_pki.h"
#include "services/provision/vault.h"

#define HOUR_S 3600

static long crl_hours; /* set once by authority_open */

static struct metric roots = { "lanyard_root_days_left", "days until the first root ends", NULL,
	METRIC_GAUGE, 0, { 0 }, NULL };
static struct metric issuers = { "lanyard_issuing_days_left",
	"days until the first issuing authority ends", NULL, METRIC_GAUGE, 0, { 0 }, NULL };
static struct metric lists = { "lanyard_crl_days_left", "days until the first revocation list ends",
	NULL, METRIC_GAUGE, 0, { 0 }, NULL };

void authority_open(long hours)
{
	crl_hours = hours;
	metric_register(&roots);
	metric_register(&issuers);
	metric_register(&lists);
}

/* ---- revocation lists ---- */

static err_t read_entries(
	struct call *call, const char *authority, struct pki_revoked **revoked, size_t *n)
{
	struct db_rows *rows = NULL;
	err_t err = store_crl_entries(call, authority, &rows);

	*n = err == OK ? db_count(rows) : 0;
	*revoked = arena_alloc(call->arena, (*n + 1) * sizeof(**revoked));
	for (size_t i = 0; i < *n; i++)
		(*revoked)[i] = (struct pki_revoked){
			.serial = arena_strdup(call->arena, db_text(rows, i, "serial")),
			.at_s = db_int(rows, i, "at_s"),
			.on_hold = db_bool(rows, i, "on_hold"),
		};
	db_rows_destroy_at(&rows);
	return err;
}

static err_t sign_list(struct call *call, const char *authority, const struct db_rows *row)
{
	int64_t now_s = clock_unix_ms() / 1000, next_s = now_s + crl_hours * HOUR_S;
	struct pki_issuer issuer = { .certificate = db_text(row, 0, "certificate") };
	struct pki_revoked *revoked;
	const char *crl;
	size_t n;
	err_t err;

	if ((err = vault_unseal(call, authority_use(call, authority), db_text(row, 0, "sealed_key"),
		     &issuer.key)) != OK ||
		(err = read_entries(call, authority, &revoked, &n)) != OK)
		return err;
	crl = pki_crl(call->arena, &issuer, db_int(row, 0, "number"), now_s, next_s, revoked, n);
	return store_crl_set(call, authority, crl, now_s, next_s);
}

err_t authority_list_revoked(struct call *call, const char *authority)
{
	AUTO_ROWS row = NULL;
	err_t err = store_crl_lock(call, authority, &row);

	/* What a retired authority has signed is not believed any more: it needs no list. */
	if (err != OK || db_count(row) == 0)
		return err;
	return sign_list(call, authority, row);
}

err_t authority_device_changed(struct call *call, const char *device)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_crl_of_subject(call, device, &rows);

	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = authority_list_revoked(call, db_text(rows, i, "id"));
	return err;
}

/* ---- the signer ---- */

/* ERR_NOT_FOUND while the tenant has none. */
static err_t find_signer(struct call *call, struct authority_signer *signer)
{
	AUTO_ROWS row = NULL;
	err_t err = store_authority_find(call, AUTHORITY_ISSUING, "active", &row);

	if (err != OK)
		return err;
	if (db_count(row) == 0)
		return ERR_NOT_FOUND;
	signer->id = arena_strdup(call->arena, db_text(row, 0, "id"));
	signer->issuer.certificate = arena_strdup(call->arena, db_text(row, 0, "certificate"));
	signer->not_after_s = db_int(row, 0, "not_after_s");
	return vault_unseal(call, authority_use(call, signer->id), db_text(row, 0, "sealed_key"),
		&signer->issuer.key);
}

err_t authority_signer(struct call *call, struct authority_signer *signer)
{
	err_t err = find_signer(call, signer);

	if (err != ERR_NOT_FOUND)
		return err;
	if ((err = store_authority_lock(call)) != OK || (err = find_signer(call, signer)) == OK)
		return err;
	if (err != ERR_NOT_FOUND || (err = authority_make_root(call, "active")) != OK)
		return err;
	return find_signer(call, signer);
}

err_t authority_trust(struct call *call, const char **trust)
{
	struct authority_signer signer;
	err_t err = store_authority_trust(call, trust);

	if (err != OK || **trust != '\0')
		return err;
	err = authority_signer(call, &signer); /* makes the first ones */
	return err == OK ? store_authority_trust(call, trust) : err;
}

/* ---- the task ---- */

/* What can't be opened is logged by the vault, and keeps no other tenant from its own. */
static err_t passable(err_t err)
{
	return err == ERR_DATA_LOSS ? OK : err;
}

static err_t renew_lists(struct call *call)
{
	AUTO_ROWS due = NULL;
	err_t err = store_crl_due(call, &due);

	for (size_t i = 0; err == OK && i < db_count(due); i++) {
		call->tenant = db_text(due, i, "tenant");
		err = passable(authority_list_revoked(call, db_text(due, i, "id")));
		call->tenant = CALL_FLEET;
	}
	return err;
}

static err_t renew_issuers(struct call *call)
{
	AUTO_ROWS ageing = NULL;
	err_t err = store_authority_ageing(call, &ageing);

	for (size_t i = 0; err == OK && i < db_count(ageing); i++) {
		const char *id;

		call->tenant = db_text(ageing, i, "tenant");
		if ((err = store_authority_lock(call)) == OK &&
			(err = authority_make_issuing(call, NULL, &id)) == OK)
			log_info("issuing_authority_renewed", "tenant=%s authority=%s",
				call->tenant, id);
		err = passable(err);
		call->tenant = CALL_FLEET;
	}
	return err;
}

static err_t measure(struct call *call)
{
	AUTO_ROWS row = NULL;
	err_t err = store_authority_left(call, &row);

	if (err != OK || db_int(row, 0, "n") == 0)
		return err;
	metric_set(&roots, db_int(row, 0, "roots"));
	metric_set(&issuers, db_int(row, 0, "issuing"));
	metric_set(&lists, db_int(row, 0, "crls"));
	return OK;
}

err_t authority_refresh(struct call *call)
{
	err_t err;

	if ((err = renew_lists(call)) != OK || (err = renew_issuers(call)) != OK)
		return err;
	return measure(call);
}
