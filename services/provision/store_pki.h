/*
 * store_pki: the SQL of authorities, certificates and revocation lists, on the tables of
 * db/migrations/0008_certificates.sql. The rules are those of store.h.
 */
#pragma once

#include "proto/certificates.pb-c.h"
#include "services/provision/pki.h"
#include "services/provision/store.h"

/* ---- authorities (store_authority.c) ---- */

/* Nobody else makes or changes authorities of this tenant until the transaction ends. */
err_t store_authority_lock(struct call *call) MUST_CHECK;

struct store_authority {
	const char *id, *kind, *state, *root; /* root: NULL for one */
	const struct pki_certificate *certificate;
	const char *sealed_key;
	int64_t not_before_s, not_after_s;
};

err_t store_authority_new_id(struct call *call, const char **id) MUST_CHECK;
err_t store_authority_add(struct call *call, const struct store_authority *authority) MUST_CHECK;
err_t store_authority_get(
	struct call *call, const char *id, Provision__Authority *reply) MUST_CHECK;
/* Those that are not retired, the roots first. */
err_t store_authority_list(struct call *call, struct db_rows **rows) MUST_CHECK;
/* Their certificates, one after the other; "" without any. */
err_t store_authority_trust(struct call *call, const char **trust) MUST_CHECK;
/* The one of this kind and state: id, certificate, sealed_key, not_after_s. One row or none. */
err_t store_authority_find(
	struct call *call, const char *kind, const char *state, struct db_rows **rows) MUST_CHECK;
/* Changes the state of an authority, or of all under a root. Retired ones lose their keys. */
err_t store_authority_set_state(struct call *call, const char *id, const char *state) MUST_CHECK;
err_t store_authority_set_state_under(
	struct call *call, const char *root, const char *state) MUST_CHECK;
/* The sealed key, which is gone afterwards; FAILED_PRECONDITION if there is none. */
err_t store_authority_take_key(struct call *call, const char *id, const char **sealed) MUST_CHECK;

/* Tenants whose active issuing authority has used more than half of its time, while the key of
 * their root is here. */
err_t store_authority_ageing(struct call *call, struct db_rows **rows) MUST_CHECK;
/* Days that the first root, issuing authority and revocation list still have: roots, issuing, crls.
 */
err_t store_authority_left(struct call *call, struct db_rows **rows) MUST_CHECK;

/* ---- revocation lists (store_crl.c) ---- */

/* Locks the authority: certificate, sealed_key, number (of the next list). */
err_t store_crl_lock(struct call *call, const char *authority, struct db_rows **rows) MUST_CHECK;
/* What stands on it: serial, at_s, on_hold. */
err_t store_crl_entries(struct call *call, const char *authority, struct db_rows **rows) MUST_CHECK;
err_t store_crl_set(struct call *call, const char *authority, const char *crl, int64_t this_s,
	int64_t next_s) MUST_CHECK;
/* Of any tenant, those whose list has used more than half of its time: tenant, id. */
err_t store_crl_due(struct call *call, struct db_rows **rows) MUST_CHECK;
/* The authorities that have signed for this subject what is still to be listed: id. */
err_t store_crl_of_subject(
	struct call *call, const char *subject, struct db_rows **rows) MUST_CHECK;

/* ---- certificates (store_certificate.c) ---- */

struct store_certificate {
	const char *authority, *kind, *subject, *label;
	const struct pki_certificate *certificate;
	int64_t not_before_s, not_after_s;
};

/* Has the subject one that is neither revoked nor at its end? */
err_t store_certificate_good(struct call *call, const char *subject, bool *good) MUST_CHECK;

err_t store_certificate_add(struct call *call, const struct store_certificate *certificate,
	Provision__Certificate *reply) MUST_CHECK;
err_t store_certificate_get(
	struct call *call, const char *id, Provision__Certificate *reply) MUST_CHECK;
err_t store_certificate_list(struct call *call, const Provision__ListCertificatesRequest *request,
	Provision__CertificateList *reply) MUST_CHECK;
/* Revokes the one with this serial, or all of this subject; one of the two is empty. The rows
 * have id, serial and authority. */
err_t store_certificate_revoke(struct call *call, const char *serial, const char *subject,
	const char *reason, struct db_rows **rows) MUST_CHECK;
/* Of any tenant, a device's that is good: tenant, device, certificate. One row or none. */
err_t store_certificate_find(
	struct call *call, const char *serial, struct db_rows **rows) MUST_CHECK;
/* As CertificateStatus; no row if the serial is unknown. */
err_t store_certificate_status(
	struct call *call, const char *serial, struct db_rows **rows) MUST_CHECK;
