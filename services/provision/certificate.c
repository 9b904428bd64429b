/*
 * certificate: the rpcs of certificates. Subject and use follow from what the certificate is for;
 * of a signing request only the key is taken, since a name that the asker chooses is the name of
 * someone else (CVE-2024-33897).
 */
#include "services/provision/certificates.h"

#include "lib/check.h"
#include "lib/clock.h"
#include "services/provision/audit/audit.h"
#include "services/provision/authority.h"
#include "services/provision/state.h"
#include "services/provision/store_pki.h"

#include <string.h>

#define DAY_S	      ((int64_t)24 * 60 * 60)
#define BACKDATE_S    300 /* for clocks that are slow */
#define LIFETIME_MIN  60
#define LABEL_MAX     64
#define REASON_MAX    256
#define HOST_MAX      64 /* what CN holds */
#define DNS_NAMES_MAX 8

static const struct kind {
	const char *name;
	enum pki_role role;
	int64_t lifetime_s;
} kinds[] = {
	{ "device", PKI_CLIENT, 397 * DAY_S },
	{ "user", PKI_CLIENT, 90 * DAY_S },
	{ "server", PKI_SERVER, 397 * DAY_S },
};

/* ---- the request ---- */

static err_t find_kind(struct call *call, const char *name, const struct kind **kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*kind = &kinds[i];
			return OK;
		}
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, "kind", "expected one of: device, user, server");
}

err_t certificate_check_host(struct call *call, const char *field, const char *host)
{
	return check_host_name(call, field, host, HOST_MAX);
}

static err_t check_device(struct call *call, const char *id)
{
	Provision__Device device = PROVISION__DEVICE__INIT;
	err_t err = store_device_lock(call, id, &device);

	if (err == ERR_NOT_FOUND)
		return call_refuse(call, err, "subject", "there is no device %s", id);
	return err == OK ? state_check_attach(call, device.state) : err;
}

static err_t check_subject(struct call *call, const Provision__IssueCertificateRequest *request,
	const struct kind *kind)
{
	err_t err;

	if (kind->role == PKI_SERVER) {
		err = certificate_check_host(call, "subject", request->subject);
		for (size_t i = 0; err == OK && i < request->n_dns_names; i++)
			err = certificate_check_host(call, "dns_names", request->dns_names[i]);
		return err;
	}
	if ((err = check_uuid(call, "subject", request->subject)) != OK)
		return err;
	return strcmp(kind->name, "device") == 0 ? check_device(call, request->subject) : OK;
}

static err_t check_request(struct call *call, const Provision__IssueCertificateRequest *request,
	const struct kind **kind)
{
	err_t err;

	if ((err = find_kind(call, request->kind, kind)) != OK ||
		(err = check_text(call, "label", request->label, 0, LABEL_MAX)) != OK)
		return err;
	if (request->lifetime_s != 0 && request->lifetime_s < LIFETIME_MIN)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "lifetime_s",
			"expected at least %d seconds, or 0 for the default", LIFETIME_MIN);
	if (request->n_dns_names > ((*kind)->role == PKI_SERVER ? DNS_NAMES_MAX : 0))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "dns_names",
			"expected at most %d, and of a server only", DNS_NAMES_MAX);
	return check_subject(call, request, *kind);
}

/* ---- issuing ---- */

/* A server's names: its subject and those beside it. */
static void set_names(struct call *call, const Provision__IssueCertificateRequest *request,
	struct pki_template *template)
{
	char **names = arena_alloc(call->arena, (request->n_dns_names + 1) * sizeof(*names));

	names[0] = request->subject;
	for (size_t i = 0; i < request->n_dns_names; i++)
		names[i + 1] = request->dns_names[i];
	template->dns_names = names;
	template->n_dns_names = request->n_dns_names + 1;
}

static void make_template(struct call *call, const Provision__IssueCertificateRequest *request,
	const struct kind *kind, int64_t signer_not_after_s, struct pki_template *template)
{
	int64_t now_s = clock_unix_ms() / 1000;
	int64_t lifetime_s = request->lifetime_s != 0 ? request->lifetime_s : kind->lifetime_s;

	*template = (struct pki_template){
		.role = kind->role,
		.organisation = call->tenant,
		.unit = kind->name,
		.name = request->subject,
		.not_before_s = now_s - BACKDATE_S,
		.not_after_s = now_s + lifetime_s < signer_not_after_s ? now_s + lifetime_s
								       : signer_not_after_s,
	};
	if (strcmp(kind->name, "user") == 0)
		template->name = NULL; /* apps of VPNs tell certificates by their common name */
	if (kind->role == PKI_SERVER)
		set_names(call, request, template);
}

/* The key to sign: that of the request, or a new one, which is in the reply and nowhere else. */
static err_t choose_key(struct call *call, const Provision__IssueCertificateRequest *request,
	const char **public_key, const char **private_key)
{
	*private_key = "";
	if (*request->csr != '\0')
		return pki_csr_read(call, request->csr, public_key);
	*private_key = pki_key_create(call->arena, public_key);
	return OK;
}

err_t issue_certificate(struct call *call, const Provision__IssueCertificateRequest *request,
	Provision__Certificate *reply)
{
	struct authority_signer signer;
	struct pki_template template;
	struct pki_certificate certificate;
	struct store_certificate row;
	const char *public_key, *private_key;
	const struct kind *kind = NULL;
	err_t err;

	if ((err = check_request(call, request, &kind)) != OK ||
		(err = choose_key(call, request, &public_key, &private_key)) != OK ||
		(err = authority_signer(call, &signer)) != OK)
		return err;
	make_template(call, request, kind, signer.not_after_s, &template);
	pki_sign(call->arena, &template, public_key, &signer.issuer, NULL, &certificate);
	row = (struct store_certificate){
		.authority = signer.id,
		.kind = kind->name,
		.subject = request->subject,
		.label = request->label,
		.certificate = &certificate,
		.not_before_s = template.not_before_s,
		.not_after_s = template.not_after_s,
	};
	if ((err = store_certificate_add(call, &row, reply)) != OK ||
		(err = AUDIT(call, "certificate.issued", .subject = reply->id,
			 .after = request->subject)) != OK)
		return err;
	reply->chain = (char *)(uintptr_t)signer.issuer.certificate;
	reply->private_key = (char *)(uintptr_t)private_key;
	return OK;
}

/* ---- reading ---- */

err_t get_certificate(
	struct call *call, const Provision__Ref *request, Provision__Certificate *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_certificate_get(call, request->id, reply) : err;
}

err_t list_certificates(struct call *call, const Provision__ListCertificatesRequest *request,
	Provision__CertificateList *reply)
{
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if ((err = check_text(call, "subject", request->subject, 0, HOST_MAX)) != OK)
		return err;
	return store_certificate_list(call, request, reply);
}

static err_t check_serial(struct call *call, const char *serial)
{
	if (strlen(serial) == PKI_SERIAL_LEN - 1 &&
		serial[strspn(serial, "0123456789abcdef")] == '\0')
		return OK;
	return call_refuse(
		call, ERR_INVALID_ARGUMENT, "serial", "expected 32 lower-case hex digits");
}

err_t get_certificate_status(struct call *call,
	const Provision__GetCertificateStatusRequest *request, Provision__CertificateStatus *reply)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = check_serial(call, request->serial)) != OK ||
		(err = store_certificate_status(call, request->serial, &rows)) != OK)
		return err;
	reply->state = "unknown";
	if (db_count(rows) > 0)
		db_message(rows, 0, call->arena, &reply->base);
	return OK;
}

/* ---- revoking ---- */

/* Those of one subject may be of two authorities, during a rotation. */
static err_t list(struct call *call, const struct db_rows *rows)
{
	const char *done = "";
	err_t err = OK;

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		const char *authority = db_text(rows, i, "authority");

		if (strcmp(authority, done) == 0)
			continue;
		err = authority_list_revoked(call, authority);
		done = authority;
	}
	return err;
}

static err_t revoke(struct call *call, const char *serial, const char *subject, const char *reason,
	size_t *count)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = store_certificate_revoke(call, serial, subject, reason, &rows)) != OK ||
		(err = list(call, rows)) != OK)
		return err;
	*count = db_count(rows);
	for (size_t i = 0; err == OK && i < db_count(rows); i++)
		err = AUDIT(call, "certificate.revoked", .subject = db_text(rows, i, "id"),
			.before = db_text(rows, i, "serial"), .after = reason);
	return err;
}

err_t revoke_certificate(struct call *call, const Provision__RevokeCertificateRequest *request,
	Provision__RevokedCertificates *reply)
{
	size_t count = 0;
	err_t err;

	if ((*request->serial == '\0') == (*request->subject == '\0'))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "serial",
			"expected either a serial or a subject");
	if ((*request->serial != '\0' && (err = check_serial(call, request->serial)) != OK) ||
		(err = check_text(call, "subject", request->subject, 0, HOST_MAX)) != OK ||
		(err = check_text(call, "reason", request->reason, 0, REASON_MAX)) != OK ||
		(err = revoke(call, request->serial, request->subject, request->reason, &count)) !=
			OK)
		return err;
	reply->count = (uint32_t)count;
	return OK;
}

err_t certificate_revoke_subject(struct call *call, const char *subject, const char *reason)
{
	size_t count;

	return revoke(call, "", subject, reason, &count);
}
