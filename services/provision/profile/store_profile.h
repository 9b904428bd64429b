/*
 * store_profile: the SQL of profiles, apps' certificates and notices, on the tables of
 * db/migrations/0023_profiles.sql. The rules are those of store.h.
 */
#pragma once

#include "proto/profile.pb-c.h"
#include "services/provision/store.h"

/* ---- profiles (store_profile.c) ---- */

/* ALREADY_EXISTS (profile_id), NOT_FOUND (network). `tls_crypt` is sealed. */
err_t store_profile_create(struct call *call, const Provision__ProfileRequest *profile,
	const char *tls_crypt, Provision__Profile *reply) MUST_CHECK;
err_t store_profile_get(struct call *call, const char *id, Provision__Profile *reply) MUST_CHECK;
err_t store_profile_list(struct call *call, const Provision__ListProfilesRequest *request,
	Provision__ProfileList *reply) MUST_CHECK;
/* As get, and nobody else changes or deletes it until the transaction ends. */
err_t store_profile_lock(struct call *call, const char *id, Provision__Profile *reply) MUST_CHECK;
/* All but profile_id and network; `tls_crypt` NULL leaves the one that is there. */
err_t store_profile_replace(struct call *call, const Provision__ProfileRequest *profile,
	const char *tls_crypt, Provision__Profile *reply) MUST_CHECK;
err_t store_profile_delete(struct call *call, const char *id) MUST_CHECK;
/* The sealed key of the profile with this name; "" without one. */
err_t store_profile_tls_crypt(
	struct call *call, const char *profile_id, const char **sealed) MUST_CHECK;

/* Those of a tenant that has set none have version 0. */
err_t store_app_settings_get(struct call *call, Provision__AppSettings *reply) MUST_CHECK;
err_t store_app_settings_set(struct call *call, const Provision__AppSettings *settings,
	Provision__AppSettings *reply) MUST_CHECK;

/* ---- apps' certificates (store_app.c) ---- */

/* Until the transaction ends nobody else gives this user a certificate. */
err_t store_app_lock(struct call *call, const char *user) MUST_CHECK;

struct store_app_certificate {
	const char *certificate; /* id */
	const char *user, *authorization, *client_id;
	const char *profile_id; /* "": good for every profile */
};

err_t store_app_certificate_add(
	struct call *call, const struct store_app_certificate *certificate) MUST_CHECK;

/*
 * End what is good of an app, without a place on the revocation list. Of an authorization: all, or
 * only those that are for one profile; or all but the newest `keep` of the others. Of a user: all;
 * or those that are for one profile and whose id is not after `last`. Of a profile: all that are
 * for it alone.
 */
err_t store_app_end_authorization(struct call *call, const char *authorization, bool connected_only,
	const char *reason) MUST_CHECK;
err_t store_app_end_user(struct call *call, const char *user, const char *reason) MUST_CHECK;
err_t store_app_end_oldest(
	struct call *call, const char *user, const char *last, const char *reason) MUST_CHECK;
err_t store_app_end_keypairs(
	struct call *call, const char *authorization, unsigned keep, const char *reason) MUST_CHECK;
err_t store_app_end_profile(
	struct call *call, const char *profile_id, const char *reason) MUST_CHECK;

/* Id of the newest certificate or peer that is one too many when a user keeps `keep` of what it has
 * connected with; "": there is none. */
err_t store_app_last_to_end(
	struct call *call, const char *user, unsigned keep, const char **last) MUST_CHECK;

/* The certificate with this serial, of this user or with NULL of any: state (valid, revoked,
 * expired, early), user, profile_id, client_id (empty: of no app); no row without one. */
err_t store_app_certificate_find(
	struct call *call, const char *serial, const char *user, struct db_rows **rows) MUST_CHECK;
/* Of any tenant: removes those that ended long ago. */
err_t store_app_forget(struct call *call) MUST_CHECK;

/* ---- notices (store_notice.c) ---- */

err_t store_notice_create(struct call *call, const Provision__CreateNoticeRequest *notice,
	Provision__Notice *reply) MUST_CHECK;
err_t store_notice_get(struct call *call, const char *id, Provision__Notice *reply) MUST_CHECK;
err_t store_notice_list(struct call *call, const Provision__ListNoticesRequest *request,
	Provision__NoticeList *reply) MUST_CHECK;
err_t store_notice_delete(struct call *call, const char *id) MUST_CHECK;
/* Tells a user of something that happens to it, unless that was the last thing that it was told. */
err_t store_notice_tell(struct call *call, const char *user, const char *message) MUST_CHECK;
/* What is to be shown now: to this user alone, or with NULL to everybody. The newest first, and not
 * more than a person reads. */
err_t store_notice_current(
	struct call *call, const char *user, Provision__NoticeList *reply) MUST_CHECK;
/* Of any tenant: removes those of single users that are old. */
err_t store_notice_forget(struct call *call) MUST_CHECK;
