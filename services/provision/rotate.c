/* rotate: the rpcs of authorities: showing them, and their way from next to retired. */
#include "services/provision/certificates.h"

#include "lib/check.h"
#include "services/provision/authority_make.h"
#include "services/provision/request.h"
#include "services/provision/store_pki.h"
#include "services/provision/store_portal.h"
#include "services/provision/vault.h"

#include <string.h>

#define PASSPHRASE_MIN 12
#define PASSPHRASE_MAX 256
#define KEY_MAX	       4096

/* ---- what there is ---- */

static char *append(struct call *call, char *text, const char *more)
{
	return arena_printf(call->arena, "%s%s", text, more);
}

static void add(
	struct call *call, const struct db_rows *rows, size_t i, Provision__Authorities *reply)
{
	Provision__Authority *item = arena_alloc(call->arena, sizeof(*item));
	const char *next_update = db_text(rows, i, "crl_next_update");

	provision__authority__init(item);
	db_message(rows, i, call->arena, &item->base);
	reply->items[reply->n_items++] = item;
	if (strcmp(item->kind, AUTHORITY_ROOT) == 0)
		reply->trust = append(call, reply->trust, item->certificate);
	else
		reply->issuers = append(call, reply->issuers, item->certificate);
	if (strcmp(item->kind, AUTHORITY_ISSUING) == 0 && strcmp(item->state, "active") == 0)
		reply->chain = item->certificate;
	reply->crls = append(call, reply->crls, db_text(rows, i, "crl"));
	/* RFC 3339 in UTC: the order of texts is that of times. */
	if (*reply->crl_next_update == '\0' || strcmp(next_update, reply->crl_next_update) < 0)
		reply->crl_next_update = arena_strdup(call->arena, next_update);
}

err_t authorities_read(struct call *call, Provision__Authorities *reply)
{
	struct authority_signer signer;
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = authority_signer(call, &signer)) != OK ||
		(err = store_authority_list(call, &rows)) != OK)
		return err;
	reply->items = arena_alloc(call->arena, (db_count(rows) + 1) * sizeof(*reply->items));
	for (size_t i = 0; i < db_count(rows); i++)
		add(call, rows, i, reply);
	return OK;
}

/* How many devices use a package, and how many of those trust what `trust` says. */
static err_t count_devices(struct call *call, Provision__Authorities *reply, int *percent)
{
	AUTO_ROWS row = NULL;
	char md5[PACKAGE_MD5_LEN];
	err_t err;

	package_md5(reply->trust, md5);
	if ((err = store_package_trust(call, md5, &row)) != OK)
		return err;
	reply->devices = (uint32_t)db_int(row, 0, "devices");
	reply->devices_ready = (uint32_t)db_int(row, 0, "ready");
	*percent = (int)db_int(row, 0, "trust_percent");
	return OK;
}

err_t get_authorities(
	struct call *call, const Provision__Empty *request, Provision__Authorities *reply)
{
	err_t err = authorities_read(call, reply);
	int percent;

	(void)request;
	return err == OK ? count_devices(call, reply, &percent) : err;
}

/* ---- changes ---- */

static err_t check_passphrase(struct call *call, const char *passphrase)
{
	return check_text(call, "passphrase", passphrase, PASSPHRASE_MIN, PASSPHRASE_MAX);
}

/* Locks the authorities and reads the one meant. */
static err_t lock(struct call *call, const char *id, int64_t version, Provision__Authority *found)
{
	err_t err;

	if ((err = check_uuid(call, "id", id)) != OK || (err = store_authority_lock(call)) != OK ||
		(err = store_authority_get(call, id, found)) != OK)
		return err;
	return request_check_version(call, version, found->version);
}

err_t take_root_offline(struct call *call, const Provision__TakeRootOfflineRequest *request,
	Provision__RootKey *reply)
{
	Provision__Authority root = PROVISION__AUTHORITY__INIT;
	const char *sealed, *key;
	err_t err;

	if ((err = check_passphrase(call, request->passphrase)) != OK ||
		(err = lock(call, request->id, request->version, &root)) != OK)
		return err;
	if (strcmp(root.kind, AUTHORITY_ROOT) != 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"expected a root: an issuing authority signs every day");
	if ((err = store_authority_take_key(call, root.id, &sealed)) != OK ||
		(err = vault_unseal(call, authority_use(call, root.id), sealed, &key)) != OK)
		return err;
	reply->id = root.id;
	reply->key = (char *)(uintptr_t)pki_key_encrypt(call->arena, key, request->passphrase);
	return OK;
}

static err_t read_root_key(
	struct call *call, const Provision__RotateAuthorityRequest *request, const char **key)
{
	err_t err;

	*key = NULL;
	if (*request->root_key == '\0')
		return OK;
	if (strlen(request->root_key) > KEY_MAX)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "root_key",
			"expected at most %d bytes", KEY_MAX);
	if ((err = check_passphrase(call, request->passphrase)) != OK)
		return err;
	return pki_key_decrypt(call, request->root_key, request->passphrase, key);
}

static err_t make_next_root(struct call *call, const char **id)
{
	AUTO_ROWS next = NULL;
	AUTO_ROWS made = NULL;
	err_t err = store_authority_find(call, AUTHORITY_ROOT, "next", &next);

	if (err != OK)
		return err;
	if (db_count(next) > 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "kind",
			"there is a next root already: advance %s first", db_text(next, 0, "id"));
	if ((err = authority_make_root(call, "next")) != OK ||
		(err = store_authority_find(call, AUTHORITY_ROOT, "next", &made)) != OK)
		return err;
	*id = arena_strdup(call->arena, db_text(made, 0, "id"));
	return OK;
}

err_t rotate_authority(struct call *call, const Provision__RotateAuthorityRequest *request,
	Provision__Authority *reply)
{
	static const char *const kinds[] = { AUTHORITY_ROOT, AUTHORITY_ISSUING, NULL };
	struct authority_signer signer;
	const char *root_key, *id;
	err_t err;

	if ((err = check_word(call, "kind", request->kind, kinds)) != OK ||
		(err = read_root_key(call, request, &root_key)) != OK ||
		(err = authority_signer(call, &signer)) != OK ||
		(err = store_authority_lock(call)) != OK)
		return err;
	err = strcmp(request->kind, AUTHORITY_ROOT) == 0
		      ? make_next_root(call, &id)
		      : authority_make_issuing(call, root_key, &id);
	return err == OK ? store_authority_get(call, id, reply) : err;
}

static err_t set_state(struct call *call, const char *root, const char *state)
{
	err_t err = store_authority_set_state_under(call, root, state);

	return err == OK ? store_authority_set_state(call, root, state) : err;
}

/* What a new root signs is good for those devices only that have it already. */
static err_t check_ready(struct call *call)
{
	Provision__Authorities authorities = PROVISION__AUTHORITIES__INIT;
	int percent;
	err_t err;

	if ((err = authorities_read(call, &authorities)) != OK ||
		(err = count_devices(call, &authorities, &percent)) != OK)
		return err;
	if ((uint64_t)authorities.devices_ready * 100 >=
		(uint64_t)authorities.devices * (unsigned)percent)
		return OK;
	return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
		"%u of %u devices have the new root in the package that they use; the portal's "
		"trust_percent is %d",
		authorities.devices_ready, authorities.devices, percent);
}

/* The root before it steps back first: there is one active root at any time. */
static err_t activate(struct call *call, const char *root)
{
	AUTO_ROWS old = NULL;
	err_t err;

	if ((err = check_ready(call)) != OK ||
		(err = store_authority_find(call, AUTHORITY_ROOT, "active", &old)) != OK ||
		(err = set_state(call, db_text(old, 0, "id"), "retiring")) != OK)
		return err;
	return set_state(call, root, "active");
}

err_t advance_authority(
	struct call *call, const Provision__Ref *request, Provision__Authority *reply)
{
	Provision__Authority found = PROVISION__AUTHORITY__INIT;
	err_t err = lock(call, request->id, request->version, &found);

	if (err != OK)
		return err;
	if (strcmp(found.state, "retiring") == 0 && strcmp(found.kind, AUTHORITY_ISSUING) == 0)
		err = store_authority_set_state(call, found.id, "retired");
	else if (strcmp(found.state, "retiring") == 0)
		err = set_state(call, found.id, "retired");
	else if (strcmp(found.state, "next") == 0 && strcmp(found.kind, AUTHORITY_ROOT) == 0)
		err = activate(call, found.id);
	else
		return call_refuse(call, ERR_FAILED_PRECONDITION, "id",
			"a %s authority that is %s does not advance by itself", found.kind,
			found.state);
	return err == OK ? store_authority_get(call, found.id, reply) : err;
}
