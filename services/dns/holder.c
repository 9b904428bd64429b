/* holder: see holder.h. */
#include "services/dns/holder.h"

#include "lib/check.h"
#include "lib/uuid.h"
#include "services/dns/label.h"
#include "services/dns/mail.h"
#include "services/dns/store_kite.h"
#include "services/dns/store_registration.h"

#include <sodium.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DESCRIPTION_MAX 200
#define WORD_MAX	128

struct holder_settings holder_settings;

static const char *new_token(struct call *call)
{
	char text[UUID_SIZE];

	uuid_new(text);
	return arena_strdup(call->arena, text);
}

/* ---- getting a name ---- */

err_t holder_zone(struct call *call, const char *host, const struct directory_zone **zone)
{
	char name[DOMAIN_LEN];
	char *copy = arena_strdup(call->arena, host);

	copy[strcspn(copy, ":")] = '\0';
	*zone = domain_normalise(copy, name)
			? directory_zone_around(holder_settings.directory, name, call->arena)
			: NULL;
	if (*zone == NULL || !(*zone)->open)
		*zone = directory_zone_named(
			holder_settings.directory, holder_settings.names_zone, call->arena);
	if (*zone == NULL || !(*zone)->open)
		return call_refuse(
			call, ERR_PERMISSION_DENIED, "", "strangers can't register names here");
	return OK;
}

static err_t check_kind(struct call *call, const char *kind)
{
	static const char *const kinds[] = { "tunnel", "dynamic", "challenge", NULL };

	return *kind != '\0' ? check_word(call, "kind", kind, kinds) : OK;
}

static err_t check_subscription(struct call *call, const Dns__SubscribeRequest *request,
	const char *zone, char label[LABEL_LEN])
{
	err_t err;

	if ((err = label_check(call, request->name, zone, holder_settings.reserved, label)) != OK ||
		(err = check_text(call, "description", request->description, 0, DESCRIPTION_MAX)) !=
			OK ||
		(err = check_kind(call, request->kind)) != OK)
		return err;
	return *request->email != '\0' ? label_check_email(call, request->email) : OK;
}

/* The name is somebody's: by the token that was mailed to its owner it becomes the asker's. */
static err_t take_over(struct call *call, const Dns__SubscribeRequest *request,
	const struct directory_zone *zone, const char *label, const char *token)
{
	struct store_holder owner, shown;
	err_t err;

	if ((err = store_holder_named(call, zone->number, label, &owner)) != OK)
		return err;
	if (*request->reclamation_token != '\0') {
		err = store_holder_find(
			call, SECRET_RECLAMATION, request->reclamation_token, &shown);
		if (err == OK && strcmp(shown.id, owner.id) == 0)
			return store_registration_renew(call, &owner, token);
		if (err == OK || err == ERR_NOT_FOUND)
			return call_refuse(call, ERR_PERMISSION_DENIED, "reclamation_token",
				"this is not the reclamation token of the name");
		return err;
	}
	if (holder_settings.reclaim_hint && *request->email != '\0' &&
		strcasecmp(request->email, owner.email) == 0)
		return call_refuse(call, ERR_ALREADY_EXISTS, "email",
			"the name is taken; by this address it can be reclaimed");
	return call_refuse(call, ERR_ALREADY_EXISTS, "name", "the name is taken");
}

err_t holder_subscribe(
	struct call *call, const Dns__SubscribeRequest *request, Dns__Subscription *reply)
{
	const struct directory_zone *zone;
	const char *token = new_token(call), *id;
	char label[LABEL_LEN];
	struct store_new new;
	bool taken;
	err_t err;

	if ((err = holder_zone(call, request->host, &zone)) != OK ||
		(err = check_subscription(call, request, zone->name, label)) != OK)
		return err;
	new = (struct store_new){ .tenant = zone->tenant,
		.zone = zone->number,
		.label = label,
		.device = "",
		.kind = *request->kind != '\0' ? request->kind : "tunnel",
		.description = *request->description != '\0'
				       ? request->description
				       : arena_printf(call->arena, "%s's server", label),
		.email = request->email,
		.origin = label_address(call, request->origin),
		.token = token };
	if ((err = store_registration_add(call, &new, &id, &taken)) != OK ||
		(taken && (err = take_over(call, request, zone, label, token)) != OK))
		return err;
	reply->name = request->keep_case ? request->name : arena_strdup(call->arena, label);
	reply->full_name = arena_printf(call->arena, "%s.%s", label, zone->name);
	reply->token = (char *)(uintptr_t)token;
	return OK;
}

/* ---- being the holder ---- */

static err_t find(struct call *call, const char *token, struct store_holder *holder)
{
	return store_holder_find(call, SECRET_TOKEN, token, holder);
}

/* A URL that fits into a CAA record, and into a pair of quotation marks. */
static err_t check_account(struct call *call, const char *account)
{
	size_t len = strlen(account);

	if (len > RECORDS_ACCOUNT_MAX || (len > 0 && strncmp(account, "https://", 8) != 0) ||
		strspn(account, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				":/?#[]@!$&()*+,=-._~%") != len)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "account",
			"expected the https URL of an ACME account, at most %d bytes",
			RECORDS_ACCOUNT_MAX);
	return OK;
}

err_t holder_contact(struct call *call, const Dns__ContactRequest *request, Dns__Empty *reply)
{
	struct store_contact contact = { .origin = label_address(call, request->origin) };
	struct store_holder holder;
	err_t err;

	(void)reply;
	if (request->set_local_ip_case == DNS__CONTACT_REQUEST__SET_LOCAL_IP_LOCAL_IP &&
		(err = label_check_addresses(call, request->local_ip,
			 holder_settings.public_local_ips, &contact.local_ips)) != OK)
		return err;
	if (request->set_account_case == DNS__CONTACT_REQUEST__SET_ACCOUNT_ACCOUNT) {
		contact.account = request->account;
		if ((err = check_account(call, request->account)) != OK)
			return err;
	}
	if ((err = find(call, request->token, &holder)) != OK ||
		(err = store_kite_keep(call, holder.tenant, holder.id, request->token)) != OK)
		return err;
	return store_registration_contact(call, &holder, &contact);
}

/* Where its holder opens the tunnel. */
static void add_tunnel_urls(struct call *call, Dns__Holding *reply)
{
	char *text = arena_strdup(call->arena, holder_settings.tunnel_urls);
	char *save = NULL;

	reply->tunnel_urls = arena_alloc(call->arena, (strlen(text) + 1) * sizeof(char *));
	for (char *url = strtok_r(text, " ", &save); url != NULL; url = strtok_r(NULL, " ", &save))
		reply->tunnel_urls[reply->n_tunnel_urls++] = url;
}

err_t holder_get_holding(struct call *call, const Dns__TokenRef *request, Dns__Holding *reply)
{
	struct store_holder holder;
	err_t err = find(call, request->token, &holder);

	if (err != OK || (err = store_registration_holding(call, &holder, reply)) != OK)
		return err;
	reply->expire_s = (uint32_t)holder_settings.expire_s;
	add_tunnel_urls(call, reply);
	return OK;
}

/* Is it the name that this holder's challenges are at? */
static bool is_own_challenge(const struct store_holder *holder, const char *name)
{
	char text[DOMAIN_LEN], own[DOMAIN_LEN];

	if (!domain_normalise(name, text))
		return false;
	if (strcmp(holder->kind, "challenge") == 0)
		return strcmp(text, holder->name) == 0;
	return domain_join("_acme-challenge", holder->name, own) && strcmp(text, own) == 0;
}

err_t holder_set_challenge(
	struct call *call, const Dns__ChallengeRequest *request, Dns__Empty *reply)
{
	struct store_holder holder;
	err_t err;

	(void)reply;
	if (*request->value != '\0' && !store_challenge_fine(request->value))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "challenge",
			"expected up to %d of A-Z, a-z, 0-9, - and _", STORE_CHALLENGE_LEN);
	if ((err = find(call, request->token, &holder)) != OK)
		return err;
	if ((*request->name != '\0' && !is_own_challenge(&holder, request->name)) ||
		(*request->label != '\0' && strcmp(request->label, holder.label) != 0))
		return call_refuse(call, ERR_PERMISSION_DENIED, "name",
			"expected the challenge of the token's own name");
	if (*request->value == '\0')
		return store_challenge_clear(call, &holder);
	if (request->remove)
		return store_challenge_remove(call, &holder, request->value);
	return store_challenge_set(call, &holder, request->value);
}

err_t holder_release(struct call *call, const Dns__ReleaseRequest *request, Dns__Empty *reply)
{
	bool by_token = *request->token != '\0';
	struct store_holder holder;
	err_t err;

	(void)reply;
	err = store_holder_find(call, by_token ? SECRET_TOKEN : SECRET_RECLAMATION,
		by_token ? request->token : request->reclamation_token, &holder);
	return err != OK ? err : store_registration_delete(call, &holder);
}

/* ---- mail ---- */

err_t holder_reclaim(struct call *call, const Dns__ReclaimRequest *request, Dns__Empty *reply)
{
	const struct directory_zone *zone;
	const char *secret = new_token(call);
	struct store_holder holder;
	char label[LABEL_LEN];
	err_t err;

	(void)reply;
	if ((err = holder_zone(call, request->host, &zone)) != OK)
		return err;
	if (label_check(call, request->name, zone->name, "", label) != OK)
		return call_refuse(call, ERR_NOT_FOUND, "name", "there is no such name");
	if ((err = store_holder_named(call, zone->number, label, &holder)) != OK)
		return err;
	if (*holder.email == '\0' || holder.suspended)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "email",
			"the holder of the name can't be reached by mail");
	if ((err = store_registration_reclamation(call, &holder, secret)) != OK)
		return err;
	return mail_reclamation(call, &holder, secret);
}

static const char *api_base(struct call *call, const struct store_holder *holder)
{
	if (*holder_settings.api_url != '\0')
		return holder_settings.api_url;
	return arena_printf(call->arena, "https://api.%s", holder->zone_name);
}

err_t holder_set_email(struct call *call, const Dns__EmailRequest *request, Dns__Empty *reply)
{
	const char *secret = new_token(call);
	struct store_holder holder;
	err_t err;

	(void)reply;
	if ((err = label_check_email(call, request->email)) != OK ||
		(err = find(call, request->token, &holder)) != OK ||
		(err = store_registration_email(
			 call, &holder, request->email, request->optout, secret)) != OK)
		return err;
	return mail_verification(call, &holder, request->email, api_base(call, &holder), secret);
}

err_t holder_verify_email(struct call *call, const Dns__VerifyRequest *request, Dns__Empty *reply)
{
	struct store_holder holder;
	err_t err = store_holder_find(call, SECRET_VERIFICATION, request->secret, &holder);

	(void)reply;
	return err != OK ? err : store_registration_verified(call, &holder, true);
}

err_t holder_revoke_email(struct call *call, const Dns__TokenRef *request, Dns__Empty *reply)
{
	struct store_holder holder;
	err_t err = find(call, request->token, &holder);

	(void)reply;
	return err != OK ? err : store_registration_verified(call, &holder, false);
}

/* ---- finding neighbours (2017) ---- */

err_t holder_list_near(struct call *call, const Dns__NearRequest *request, Dns__NearList *reply)
{
	const char *origin = label_address(call, request->origin);
	const struct directory_zone *zone;
	err_t err;

	if ((err = holder_zone(call, request->host, &zone)) != OK)
		return err;
	if (*request->discovery == '\0')
		return store_near(call, zone->number, origin, reply);
	if ((err = store_discovered(call, request->discovery, origin, reply)) != OK)
		return err;
	if (reply->n_items == 0)
		return call_refuse(call, ERR_NOT_FOUND, "discovery", "nobody has this word");
	return OK;
}

err_t holder_set_discovery(
	struct call *call, const Dns__DiscoveryRequest *request, Dns__Empty *reply)
{
	struct store_holder holder;
	bool changed;
	err_t err;

	(void)reply;
	if ((err = check_text(call, "word", request->word, 1, WORD_MAX)) != OK ||
		(err = find(call, request->token, &holder)) != OK ||
		(err = store_discovery_set(
			 call, &holder, request->word, request->remove, &changed)) != OK)
		return err;
	if (!changed && !request->remove)
		return call_refuse(
			call, ERR_ALREADY_EXISTS, "word", "expected a word that nobody has");
	return OK;
}

/* ---- the tunnel ---- */

/* The holder of a fully qualified name. */
static err_t find_named(struct call *call, const char *text, struct store_holder *holder)
{
	const struct directory_zone *zone = NULL;
	char name[DOMAIN_LEN];
	const char *parent;

	if (domain_normalise(text, name) && (parent = domain_parent(name)))
		zone = directory_zone_named(holder_settings.directory, parent, call->arena);
	if (!zone)
		return call_refuse(call, ERR_NOT_FOUND, "name", "there is no such name");
	name[parent - name - 1] = '\0';
	return store_holder_named(call, zone->number, name, holder);
}

static err_t tell_tunnel(struct call *call, const struct store_holder *holder, Dns__Tunnel *reply)
{
	if (!holder->live || strcmp(holder->kind, "tunnel") != 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "token",
			holder->live ? "the name has no tunnel"
				     : "the name has expired: report its address first");
	reply->registration = (char *)(uintptr_t)holder->id;
	reply->tenant = (char *)(uintptr_t)holder->tenant;
	reply->device = (char *)(uintptr_t)holder->device;
	reply->name = (char *)(uintptr_t)holder->name;
	return OK;
}

err_t holder_get_tunnel(struct call *call, const Dns__TokenRef *request, Dns__Tunnel *reply)
{
	struct store_holder holder;
	err_t err = find(call, request->token, &holder);

	return err == OK ? tell_tunnel(call, &holder, reply) : err;
}

err_t holder_find_tunnel(struct call *call, const Dns__NameRef *request, Dns__Tunnel *reply)
{
	struct store_holder holder;
	err_t err = find_named(call, request->name, &holder);

	return err == OK ? tell_tunnel(call, &holder, reply) : err;
}

/* Whether there is such a name, a wrong signature does not tell. */
static err_t find_kite(struct call *call, const Dns__Kite *request, struct store_holder *holder)
{
	const struct kite kite = { request->protocol, request->name, request->salt,
		request->challenge, request->signature };
	char secret[KITE_SECRET_LEN] = "";
	err_t err = find_named(call, request->name, holder);
	bool fine;

	if (err == OK && !holder->suspended)
		store_kite_open(holder->kite, secret);
	fine = kite_check(&kite, secret);
	sodium_memzero(secret, sizeof(secret));
	if (fine || (err != OK && err != ERR_NOT_FOUND))
		return err;
	return call_refuse(call, ERR_NOT_FOUND, "signature", "nobody's token has signed this");
}

err_t holder_check_kite(struct call *call, const Dns__Kite *request, Dns__Tunnel *reply)
{
	struct store_holder holder;
	err_t err = find_kite(call, request, &holder);

	return err == OK ? tell_tunnel(call, &holder, reply) : err;
}
