/*
 * provider: sign-in at an identity provider of the tenant: the methods of proto/provider.proto, and
 * their SQL. As services/auth/handlers.h and store.h. Provider and tenant need not trust each other
 * with more than people: what a provider answers is bounded in bytes and time, and only so many
 * workers wait for providers at once.
 */
#pragma once

#include "lib/call.h"
#include "lib/db.h"
#include "proto/provider.pb-c.h"
#include "services/auth/provider/id_token.h"

/* ---- provider.c ---- */
err_t create_identity_provider(struct call *call,
	const Auth__CreateIdentityProviderRequest *request,
	Auth__IdentityProvider *reply) MUST_CHECK;
err_t get_identity_provider(
	struct call *call, const Auth__Ref *request, Auth__IdentityProvider *reply) MUST_CHECK;
err_t list_identity_providers(struct call *call, const Auth__ListRequest *request,
	Auth__IdentityProviderList *reply) MUST_CHECK;
err_t delete_identity_provider(
	struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;

/* ---- visit.c ---- */
err_t begin_visit(
	struct call *call, const Auth__BeginVisitRequest *request, Auth__Visit *reply) MUST_CHECK;
err_t end_visit(
	struct call *call, const Auth__EndVisitRequest *request, Auth__VisitEnd *reply) MUST_CHECK;
/* Forgets browsers that did not come back. A task. */
err_t visit_purge(struct call *call) MUST_CHECK;

/* ---- account.c ---- */

/* The user that somebody at a provider is, made or changed as the provider says; *wrong: why there
 * is none, as the person is told. */
err_t account_user(struct call *call, const Auth__IdentityProvider *provider,
	const struct id_token *token, const char **user, const char **wrong) MUST_CHECK;

/* ---- store_provider.c ---- */

/* `secret` is sealed. ALREADY_EXISTS (name, issuer). */
err_t store_provider_create(struct call *call, const Auth__CreateIdentityProviderRequest *request,
	const char *secret, Auth__IdentityProvider *reply) MUST_CHECK;
/* `secret` (sealed) may be NULL. */
err_t store_provider_get(struct call *call, const char *id, Auth__IdentityProvider *reply,
	const char **secret) MUST_CHECK;
err_t store_provider_list(struct call *call, const Auth__ListRequest *request,
	Auth__IdentityProviderList *reply) MUST_CHECK;
err_t store_provider_delete(struct call *call, const char *id) MUST_CHECK;

struct store_visit {
	const char *id, *provider, *digest, *nonce, *verifier, *target; /* the verifier is sealed */
};
err_t store_visit_create(struct call *call, const struct store_visit *visit) MUST_CHECK;
/* One row or none, deleted: digest (hex), provider_id, nonce, verifier, target; of one in time. */
err_t store_visit_take(struct call *call, const char *id, struct db_rows **rows) MUST_CHECK;
err_t store_visit_purge(struct call *call) MUST_CHECK;

/* "" if the subject is nobody yet. */
err_t store_identity_find(
	struct call *call, const char *issuer, const char *subject, const char **user) MUST_CHECK;
err_t store_identity_create(
	struct call *call, const char *issuer, const char *subject, const char *user) MUST_CHECK;
/* The user is in those groups of the tenant whose names these are, and in no other; `left`: it was.
 */
err_t store_identity_groups(
	struct call *call, const char *user, size_t n, char *const names[], bool *left) MUST_CHECK;
