/* certificates: the handlers of proto/certificates.proto; as provision.h. */
#pragma once

#include "lib/call.h"
#include "proto/certificates.pb-c.h"

/* ---- rotate.c ---- */

/* Those that are not retired, without the devices. */
err_t authorities_read(struct call *call, Provision__Authorities *reply) MUST_CHECK;

err_t get_authorities(struct call *call, const Provision__Empty *request,
	Provision__Authorities *reply) MUST_CHECK;
err_t take_root_offline(struct call *call, const Provision__TakeRootOfflineRequest *request,
	Provision__RootKey *reply) MUST_CHECK;
err_t rotate_authority(struct call *call, const Provision__RotateAuthorityRequest *request,
	Provision__Authority *reply) MUST_CHECK;
err_t advance_authority(
	struct call *call, const Provision__Ref *request, Provision__Authority *reply) MUST_CHECK;

/* ---- certificate.c ---- */

err_t issue_certificate(struct call *call, const Provision__IssueCertificateRequest *request,
	Provision__Certificate *reply) MUST_CHECK;
err_t get_certificate(
	struct call *call, const Provision__Ref *request, Provision__Certificate *reply) MUST_CHECK;
err_t list_certificates(struct call *call, const Provision__ListCertificatesRequest *request,
	Provision__CertificateList *reply) MUST_CHECK;
err_t revoke_certificate(struct call *call, const Provision__RevokeCertificateRequest *request,
	Provision__RevokedCertificates *reply) MUST_CHECK;
err_t get_certificate_status(struct call *call,
	const Provision__GetCertificateStatusRequest *request,
	Provision__CertificateStatus *reply) MUST_CHECK;

/* Refuses all but a host name or an IPv4 address, of at most 64 bytes: what CN holds. */
err_t certificate_check_host(struct call *call, const char *field, const char *host) MUST_CHECK;

/* Revokes all certificates of a subject, lists them and tells of each. */
err_t certificate_revoke_subject(
	struct call *call, const char *subject, const char *reason) MUST_CHECK;
