/* est: see est.h. Signs as IssueCertificate does; only the forms are those of RFC 7030. */
#include "services/provision/est/est.h"

#include "services/provision/auth.h"
#include "services/provision/certificates.h"
#include "services/provision/pki.h"
#include "services/provision/state.h"
#include "services/provision/store_pki.h"

#include <string.h>

#define LINE 64 /* of PEM */

err_t get_est_authorities(
	struct call *call, const Provision__Empty *request, Provision__EstReply *reply)
{
	Provision__Authorities authorities = PROVISION__AUTHORITIES__INIT;
	err_t err = authorities_read(call, &authorities);

	(void)request;
	if (err == OK)
		reply->body = pki_pkcs7(call->arena,
			arena_printf(call->arena, "%s%s", authorities.trust, authorities.issuers));
	return err;
}

/* Base64 with any line ends, as PEM. */
static err_t read_csr(struct call *call, const char *text, const char **csr)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/=\r\n";
	size_t len = strlen(text), n = 0;
	char *lines;

	if (len == 0 || len > PKI_CSR_MAX || strspn(text, digits) != len)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csr",
			"expected a PKCS #10 request in base64, at most %d bytes", PKI_CSR_MAX);
	lines = arena_alloc(call->arena, len + len / LINE + 2);
	for (size_t i = 0, column = 0; i < len; i++) {
		if (strchr("\r\n", text[i]) != NULL)
			continue;
		lines[n++] = text[i];
		if (++column % LINE == 0)
			lines[n++] = '\n';
	}
	lines[n] = '\0';
	*csr = arena_printf(call->arena,
		"-----BEGIN CERTIFICATE REQUEST-----\n%s\n-----END CERTIFICATE REQUEST-----\n",
		lines);
	return OK;
}

static err_t check_renewal(struct call *call, const char *device)
{
	bool good;
	err_t err = store_certificate_good(call, device, &good);

	if (err == OK && !good)
		return call_refuse(call, ERR_PERMISSION_DENIED, "",
			"the device has no certificate that is good, and so none to renew");
	return err;
}

err_t est_enrol(
	struct call *call, const Provision__EstEnrolRequest *request, Provision__EstReply *reply)
{
	Provision__IssueCertificateRequest issue = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;
	Provision__Certificate certificate = PROVISION__CERTIFICATE__INIT;
	Provision__Device device = PROVISION__DEVICE__INIT;
	const char *csr = NULL;
	err_t err;

	if ((err = read_csr(call, request->csr, &csr)) != OK ||
		(err = store_device_get(call, request->device, &device)) != OK)
		return err;
	if (strcmp(device.state, STATE_PENDING) == 0) {
		reply->pending = true;
		return OK;
	}
	if (request->renew && (err = check_renewal(call, device.id)) != OK)
		return err;
	issue.kind = "device";
	issue.subject = device.id;
	issue.csr = (char *)(uintptr_t)csr;
	issue.label = "est";
	if ((err = issue_certificate(call, &issue, &certificate)) == OK)
		reply->body = pki_pkcs7(call->arena, certificate.certificate);
	return err;
}

/* ---- who shows a certificate ---- */

static err_t refuse_certificate(struct call *call)
{
	return call_refuse(call, ERR_UNAUTHENTICATED, "", "this certificate is not good here");
}

/* Who shows it has made the serial number up, perhaps: all of it has to be what we signed. */
err_t identify_certificate(
	struct call *call, const Provision__EstCertificate *request, Provision__EstIdentity *reply)
{
	struct pki_certificate shown;
	AUTO_ROWS row = NULL;
	err_t err;

	if (!pki_certificate_read(call->arena, request->der.data, request->der.len, &shown))
		return refuse_certificate(call);
	if ((err = store_certificate_find(call, shown.serial, &row)) != OK)
		return err;
	if (db_count(row) == 0 || strcmp(db_text(row, 0, "certificate"), shown.pem) != 0)
		return refuse_certificate(call);
	db_message(row, 0, call->arena, &reply->base);
	err = auth_check_tenant(call, reply->tenant);
	return err == ERR_UNAUTHENTICATED ? refuse_certificate(call) : err;
}
