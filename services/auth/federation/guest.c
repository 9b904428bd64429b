/*
 * guest: people of other sites. A site that is trusted says who they are; what they may here is
 * decided here: they are members without groups, and can be blocked.
 */
#include "services/auth/federation/federation.h"

#include "lib/base64.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/uuid.h"
#include "services/auth/federation/federation_store.h"
#include "services/auth/federation/foreign_token.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/request.h"
#include "services/auth/revocation.h"
#include "services/auth/store.h"
#include "services/auth/user.h"

#include <string.h>

#define GUESTS_MAX 10000 /* of a tenant */
#define LIFE_S                                                                                     \
	(24 * 60 * 60) /* of what a guest gets: how long the other site still knows the            \
			* person is not told */

/* ---- who it is ---- */

/* As portals of eduVPN call them: vpn.example.org_jane. */
static char *name_of(struct arena *arena, const char *host, const char *user_id)
{
	char *name = arena_strdup(arena, host), *end = name;

	for (const char *at = host; *at != '\0'; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '.';

		if (plain)
			*end++ = *at;
		else if (end == name || end[-1] != '_')
			*end++ = '_';
	}
	*end = '\0';
	return arena_printf(arena, "%s_%s", name, user_id);
}

/* Sets `refusal` if this one can't be had here. */
static err_t make(struct call *call, const char *host, const char *subject, const char **refusal)
{
	const char *name = name_of(call->arena, host, subject);
	Auth__User user = AUTH__USER__INIT;
	long long n;
	bool taken;
	err_t err;

	*refusal = "no user may have the name";
	if (request_check_name(call, name) != OK)
		return OK;
	if ((err = store_user_name_taken(call, name, &taken)) != OK ||
		(err = store_guest_count(call, &n)) != OK)
		return err;
	*refusal = taken	     ? "there is a user with the name"
		   : n >= GUESTS_MAX ? "too many guests"
				     : NULL;
	if (*refusal != NULL)
		return OK;
	if ((err = user_make(call, name, GUEST_ROLE, &user)) == OK)
		err = store_guest_create(call, host, subject, user.id);
	return err == ERR_ALREADY_EXISTS ? ERR_ABORTED : err; /* somebody was faster: look again */
}

/* ---- the token ---- */

/* The id of what the person allowed there, which is told by the site alone. */
static char *authorization_of(struct arena *arena, const char *host, const char *auth_key)
{
	char *text = arena_alloc(arena, UUID_SIZE);
	const char *both = arena_printf(arena, "%s/%s", host, auth_key);
	unsigned char digest[16];

	crypto_generichash(
		digest, sizeof(digest), (const unsigned char *)both, strlen(both), NULL, 0);
	uuid_of(digest, 8, text);
	return text;
}

static void fill(struct call *call, const char *host, const struct foreign_token *token,
	const struct db_rows *row, Auth__Introspection *reply)
{
	struct arena *arena = call->arena;

	reply->sub = arena_printf(arena, "user:%s", db_text(row, 0, "user_id"));
	reply->username = arena_strdup(arena, db_text(row, 0, "user"));
	reply->role = arena_strdup(arena, db_text(row, 0, "role"));
	reply->scope = (char *)(uintptr_t)token->scope;
	reply->client_id = (char *)(uintptr_t)token->client_id;
	reply->tenant = arena_strdup(arena, call->tenant);
	reply->token_type = "bearer";
	reply->exp = token->expires_at;
	reply->authorization = authorization_of(arena, host, token->auth_key);
	reply->authorization_until = clock_unix_ms() / 1000 + LIFE_S;
}

static err_t admit(struct call *call, const char *host, const struct foreign_token *token,
	const struct db_rows *row, Auth__Introspection *reply)
{
	Auth__SignInPolicy policy = AUTH__SIGN_IN_POLICY__INIT;
	err_t err = store_sign_in_policy_get(call, &policy);

	if (err != OK)
		return err;
	fill(call, host, token, row, reply);
	reply->active = strcmp(db_text(row, 0, "state"), "active") == 0;
	if (reply->active)
		reply->inactive = "";
	else
		reply->inactive = strcmp(policy.blocked_users, "open") == 0 ? "blocked" : "ended";
	return OK;
}

static err_t examine(struct call *call, const char *host, const struct foreign_token *token,
	Auth__Introspection *reply)
{
	AUTO_ROWS known = NULL;
	AUTO_ROWS new = NULL;
	const char *refusal;
	err_t err;

	if (token->expires_at <= clock_unix_ms() / 1000) {
		reply->inactive = "expired";
		return OK;
	}
	if ((err = store_guest_find(call, host, token->user_id, &known)) != OK)
		return err;
	if (db_count(known) > 0)
		return admit(call, host, token, known, reply);
	if ((err = make(call, host, token->user_id, &refusal)) != OK ||
		(err = store_guest_find(call, host, token->user_id, &new)) != OK)
		return err;
	if (db_count(new) > 0) /* the user with the name may be this one, made a moment ago */
		return admit(call, host, token, new, reply);
	log_warn("guest_refused", "tenant=%s host=%s reason=%s", call->tenant, host,
		log_value(refusal));
	return OK;
}

err_t guest_examine(struct call *call, const char *text, Auth__Introspection *reply)
{
	Auth__Federation federation = AUTH__FEDERATION__INIT;
	struct foreign_token token;
	struct foreign_key *keys;
	size_t len;
	err_t err = store_federation_get(call, &federation);

	if (err != OK || federation.n_instances == 0)
		return err;
	keys = arena_alloc(call->arena, federation.n_instances * sizeof(*keys));
	for (size_t i = 0; i < federation.n_instances; i++) {
		const char *key = federation.instances[i]->public_key;

		if (!base64_decode(key, strlen(key), sodium_base64_VARIANT_ORIGINAL, keys[i].bytes,
			    sizeof(keys[i].bytes), &len))
			return call_refuse(call, ERR_INTERNAL, NULL, "a stored key can't be read");
	}
	if (!foreign_token_read(call->arena, text, keys, federation.n_instances, &token))
		return OK;
	return examine(call, federation.instances[token.key]->host, &token, reply);
}

/* ---- the end ---- */

/* The call may be everybody's: each is told of in its tenant. */
static err_t publish(struct call *call, err_t err, const struct db_rows *rows, const char *reason)
{
	const char *tenant = call->tenant;

	for (size_t i = 0; err == OK && i < db_count(rows); i++) {
		call->tenant = db_text(rows, i, "tenant");
		err = revocation_publish(call,
			arena_printf(call->arena, "user:%s", db_text(rows, i, "user")), reason);
	}
	call->tenant = tenant;
	return err;
}

err_t guest_end_strangers(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_guest_end_strangers(call, &rows);

	return publish(call, err, rows, "the guest's site is not trusted any more");
}

err_t guest_purge(struct call *call)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_guest_purge(call, &rows);

	return publish(call, err, rows, "the guest has not come for long");
}
