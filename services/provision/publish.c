/*
 * publish: see publish.h. Certificate, key and password of a package are made with it, so that a
 * rotation is nothing but the next package.
 */
#include "services/provision/publish.h"

#include "lib/log.h"
#include "services/provision/audit/audit.h"
#include "services/provision/certificates.h"
#include "services/provision/portal_event.h"
#include "services/provision/store_portal.h"
#include "services/provision/template.h"
#include "services/provision/vault.h"

#include <sodium.h>

#include <string.h>

#define PASSWORD_BYTES 24

const char *publish_use(struct call *call, const char *device)
{
	return arena_printf(call->arena, "package/%s", device);
}

const char *publish_ta_key_use(struct call *call)
{
	return arena_printf(call->arena, "ta_key/%s", call->tenant);
}

/* 192 random bits need no slow hash. */
const char *publish_digest(struct arena *arena, const char *password)
{
	unsigned char digest[crypto_generichash_BYTES];
	char *hex = arena_alloc(arena, 2 * sizeof(digest) + 1);

	crypto_generichash(
		digest, sizeof(digest), (const unsigned char *)password, strlen(password), NULL, 0);
	return sodium_bin2hex(hex, 2 * sizeof(digest) + 1, digest, sizeof(digest));
}

static const char *new_password(struct arena *arena)
{
	unsigned char bytes[PASSWORD_BYTES];
	char *hex = arena_alloc(arena, 2 * sizeof(bytes) + 1);

	randombytes_buf(bytes, sizeof(bytes));
	return sodium_bin2hex(hex, 2 * sizeof(bytes) + 1, bytes, sizeof(bytes));
}

static err_t make_certificate(
	struct call *call, const char *device, Provision__Certificate *certificate)
{
	Provision__IssueCertificateRequest request = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;

	request.kind = "device";
	request.subject = (char *)(uintptr_t)device;
	request.label = "package";
	return issue_certificate(call, &request, certificate);
}

/* client.conf with certificate and key in it: there is no fifth file. */
static const char *make_conf(struct call *call, const Provision__PortalDevice *device,
	const struct db_rows *portal, const Provision__Certificate *certificate)
{
	const struct template_values values = {
		.serial = device->serial,
		.device = device->id,
		.name = device->name,
		.tenant = call->tenant,
		.dir = db_text(portal, 0, "dir"),
	};
	const char *conf = template_expand(call, db_text(portal, 0, "client_conf"), &values);
	const char *end = *conf != '\0' && conf[strlen(conf) - 1] == '\n' ? "" : "\n";

	return arena_printf(call->arena, "%s%s<cert>\n%s%s</cert>\n<key>\n%s</key>\n", conf, end,
		certificate->certificate, certificate->chain, certificate->private_key);
}

static err_t make_files(struct call *call, const Provision__PortalDevice *device,
	const struct db_rows *portal, const char *password,
	const Provision__Certificate *certificate, struct package *package)
{
	Provision__Authorities authorities = PROVISION__AUTHORITIES__INIT;
	const char *ta_key = db_text(portal, 0, "ta_key");
	const char *settings = db_text(portal, 0, "agent_settings");
	err_t err = authorities_read(call, &authorities);

	if (err != OK)
		return err;
	package->files[PACKAGE_CA] = authorities.trust;
	package->files[PACKAGE_CONF] = make_conf(call, device, portal, certificate);
	package->files[PACKAGE_CREDENTIALS] =
		arena_printf(call->arena, "%s\n%s\n", device->id, password);
	package->files[PACKAGE_AGENT] = *settings != '\0' ? settings : PACKAGE_NO_SETTINGS;
	package->files[PACKAGE_TA] = "";
	if (*ta_key == '\0')
		return OK;
	return vault_unseal(call, publish_ta_key_use(call), ta_key, &package->files[PACKAGE_TA]);
}

bool publish_possible(const struct db_rows *portal)
{
	return *db_text(portal, 0, "client_conf") != '\0' ||
	       *db_text(portal, 0, "agent_settings") != '\0';
}

err_t publish_refuse(struct call *call)
{
	return call_refuse(call, ERR_FAILED_PRECONDITION, "client_conf",
		"the portal has neither client.conf nor settings for agents yet: packages are made "
		"from them");
}

err_t publish_read(struct call *call, const char *device, int number, struct package *package)
{
	AUTO_ROWS row = NULL;
	const char *files;
	err_t err;

	if ((err = store_package_get(call, device, number, &row)) != OK)
		return err;
	if (db_count(row) == 0)
		return call_refuse(
			call, ERR_NOT_FOUND, "", "there is no package for this device now");
	if ((err = vault_unseal(
		     call, publish_use(call, device), db_text(row, 0, "files"), &files)) != OK ||
		(err = package_unpack(call, files, package)) != OK)
		return err;
	package_set_names(
		call->arena, package, db_text(row, 0, "file_names"), db_bool(row, 0, "vpn_copies"));
	package_build(call->arena, package);
	if (strcmp(package->sha256, db_text(row, 0, "sha256")) != 0) {
		log_error("package_changed", "device=%s number=%d", device, number);
		return call_refuse(call, ERR_DATA_LOSS, NULL, "the package is not what it was");
	}
	return OK;
}

err_t publish_next(struct call *call, const Provision__PortalDevice *device)
{
	Provision__Certificate certificate = PROVISION__CERTIFICATE__INIT;
	const char *password = new_password(call->arena);
	struct package package = { 0 };
	AUTO_ROWS portal = NULL;
	int number;
	err_t err;

	if ((err = store_portal_lock(call, &portal)) != OK)
		return err;
	if (!publish_possible(portal))
		return publish_refuse(call);
	if ((err = make_certificate(call, device->id, &certificate)) != OK ||
		(err = make_files(call, device, portal, password, &certificate, &package)) != OK)
		return err;
	package_set_names(call->arena, &package, db_text(portal, 0, "file_names"),
		db_bool(portal, 0, "vpn_copies"));
	package_build(call->arena, &package);
	if ((err = store_package_add(call, device->id, &package,
		     vault_seal(call->arena, publish_use(call, device->id),
			     package_pack(call->arena, &package)),
		     publish_digest(call->arena, password), certificate.serial, &number)) != OK)
		return err;
	if ((err = portal_changed(call, device->serial)) != OK)
		return err;
	return AUDIT(call, "package.published", .subject = device->id,
		.before = arena_printf(call->arena, "%u", device->current),
		.after = certificate.serial, .package = number);
}
