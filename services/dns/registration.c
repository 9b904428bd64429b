/* registration: see registration.h. */
#include "services/dns/registration.h"

#include "lib/check.h"
#include "lib/uuid.h"
#include "services/dns/holder.h"
#include "services/dns/label.h"
#include "services/dns/store_registration.h"
#include "services/dns/store_time.h"
#include "services/dns/store_zone.h"

#include <string.h>

#define DESCRIPTION_MAX 200
#define ZONE_MAX	170 /* so that labels of 63 bytes fit below it */

/* ---- zones ---- */

/* A zone inside or around another's would take names from it. */
static err_t check_apart(struct call *call, const char *name)
{
	size_t n;
	const struct directory_zone **zones =
		directory_zones(holder_settings.directory, call->arena, &n);

	for (size_t i = 0; i < n; i++) {
		bool meets = domain_prefix(name, zones[i]->name) >= 0 ||
			     domain_prefix(zones[i]->name, name) >= 0;

		if (meets && strcmp(zones[i]->tenant, call->tenant) != 0)
			return call_refuse(call, ERR_ALREADY_EXISTS, "name",
				"expected a zone apart from those of others");
	}
	return OK;
}

err_t zone_create(struct call *call, const Dns__CreateZoneRequest *request, Dns__Zone *reply)
{
	char name[DOMAIN_LEN];
	err_t err;

	if (!domain_normalise(request->name, name) || strlen(name) > ZONE_MAX ||
		strchr(name, '.') == NULL || strpbrk(name, "_*") != NULL)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "name",
			"expected a domain name of two labels or more and at most %d bytes",
			ZONE_MAX);
	if ((err = check_apart(call, name)) != OK)
		return err;
	return store_zone_create(call, name, request->open, reply);
}

err_t zone_get(struct call *call, const Dns__Ref *request, Dns__Zone *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err != OK ? err : store_zone_get(call, request->id, reply);
}

err_t zone_list(struct call *call, const Dns__ListRequest *request, Dns__ZoneList *reply)
{
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	return store_zone_list(call, request, reply);
}

err_t zone_delete(struct call *call, const Dns__Ref *request, Dns__Empty *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	(void)reply;
	return err != OK ? err : store_zone_delete(call, request->id);
}

/* ---- registered names ---- */

/* A zone of the tenant's own, or the one that the fleet has for names. */
static err_t find_zone(struct call *call, const char *name, const struct directory_zone **zone)
{
	bool of_fleet = *name == '\0';

	*zone = directory_zone_named(holder_settings.directory,
		of_fleet ? holder_settings.names_zone : name, call->arena);
	if (*zone != NULL && (strcmp((*zone)->tenant, call->tenant) == 0 ||
				     strcmp((*zone)->name, holder_settings.names_zone) == 0))
		return OK;
	return call_refuse(call, ERR_NOT_FOUND, "zone", "there is no such zone for this tenant");
}

static err_t check_create(struct call *call, const Dns__CreateRegistrationRequest *request,
	const char *zone, char label[LABEL_LEN])
{
	static const char *const kinds[] = { "", "tunnel", "dynamic", "challenge", NULL };
	err_t err;

	if ((err = label_check(call, request->name, zone, holder_settings.reserved, label)) != OK ||
		(err = check_text(call, "description", request->description, 0, DESCRIPTION_MAX)) !=
			OK ||
		(err = check_word(call, "kind", request->kind, kinds)) != OK ||
		(*request->device != '\0' &&
			(err = check_uuid(call, "device", request->device)) != OK))
		return err;
	return *request->email != '\0' ? label_check_email(call, request->email) : OK;
}

static err_t check_room(struct call *call, const char *device)
{
	long long n = 0;
	err_t err;

	if (*device == '\0')
		return OK;
	if ((err = store_registration_count(call, device, &n)) != OK)
		return err;
	if (n >= REGISTRATIONS_OF_DEVICE_MAX)
		return call_refuse(call, ERR_RESOURCE_EXHAUSTED, "device",
			"a device holds at most %d names", REGISTRATIONS_OF_DEVICE_MAX);
	return OK;
}

static err_t renew(struct call *call, const struct store_holder *holder, Dns__Registration *reply)
{
	char token[UUID_SIZE];
	err_t err;

	uuid_new(token);
	if ((err = store_registration_renew(call, holder, token)) != OK ||
		(err = store_registration_get(call, holder->id, reply)) != OK)
		return err;
	reply->token = arena_strdup(call->arena, token);
	return OK;
}

/* Whoever holds a taken name in this tenant, by the same device, gets it again; others don't even
 * learn whose it is. */
static err_t create_taken(struct call *call, const struct store_new *new, Dns__Registration *reply)
{
	struct store_holder holder;
	err_t err = store_holder_named(call, new->zone, new->label, &holder);

	if (err == OK && strcmp(holder.tenant, call->tenant) == 0 && *new->device != '\0' &&
		strcmp(holder.device, new->device) == 0)
		return renew(call, &holder, reply);
	if (err == OK || err == ERR_NOT_FOUND)
		return call_refuse(call, ERR_ALREADY_EXISTS, "name", "the name is taken");
	return err;
}

err_t registration_create(
	struct call *call, const Dns__CreateRegistrationRequest *request, Dns__Registration *reply)
{
	const struct directory_zone *zone;
	char label[LABEL_LEN], token[UUID_SIZE];
	struct store_new new;
	const char *id;
	bool taken;
	err_t err;

	if ((err = find_zone(call, request->zone, &zone)) != OK ||
		(err = check_create(call, request, zone->name, label)) != OK)
		return err;
	uuid_new(token);
	new = (struct store_new){ .tenant = call->tenant,
		.zone = zone->number,
		.label = label,
		.device = request->device,
		.kind = *request->kind != '\0' ? request->kind : "tunnel",
		.description = request->description,
		.email = request->email,
		.origin = "",
		.token = token };
	if ((err = check_room(call, request->device)) != OK ||
		(err = store_registration_add(call, &new, &id, &taken)) != OK)
		return err;
	if (taken)
		return create_taken(call, &new, reply);
	if ((err = store_registration_get(call, id, reply)) != OK)
		return err;
	reply->token = arena_strdup(call->arena, token);
	return OK;
}

err_t registration_get(struct call *call, const Dns__Ref *request, Dns__Registration *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err != OK ? err : store_registration_get(call, request->id, reply);
}

err_t registration_list(struct call *call, const Dns__ListRegistrationsRequest *request,
	Dns__RegistrationList *reply)
{
	err_t err;

	if (*request->cursor != '\0' && (err = check_uuid(call, "cursor", request->cursor)) != OK)
		return err;
	if (*request->device != '\0' && (err = check_uuid(call, "device", request->device)) != OK)
		return err;
	return store_registration_list(call, request, reply);
}

/* What a change of a registration needs to know of it. */
static err_t find(struct call *call, const char *id, struct store_holder *holder)
{
	err_t err = check_uuid(call, "id", id);

	return err != OK ? err : store_holder_by_id(call, id, holder);
}

err_t registration_reclaim(struct call *call, const Dns__Ref *request, Dns__Registration *reply)
{
	struct store_holder holder;
	err_t err = find(call, request->id, &holder);

	return err != OK ? err : renew(call, &holder, reply);
}

err_t registration_delete(struct call *call, const Dns__Ref *request, Dns__Empty *reply)
{
	struct store_holder holder;
	err_t err = find(call, request->id, &holder);

	(void)reply;
	return err != OK ? err : store_registration_delete(call, &holder);
}

/* ---- the fate of devices and tenants ---- */

/* Is it the call's tenant, or a device of it? Then `*device` is the device, "" for all. */
static bool is_holder(struct call *call, const char *subject, const char **device)
{
	static const char of_device[] = "device:", of_tenant[] = "tenant:";
	size_t len = strlen(of_device);

	*device = strncmp(subject, of_device, len) == 0 ? subject + len : "";
	if (**device != '\0')
		return check_uuid(call, "subject", *device) == OK;
	return strncmp(subject, of_tenant, strlen(of_tenant)) == 0 &&
	       strcmp(subject + strlen(of_tenant), call->tenant) == 0;
}

err_t registration_revoked(struct call *call, const Event__Revoked *event)
{
	const char *device;

	if (!is_holder(call, event->subject, &device))
		return OK;
	if (event->suspended || *device == '\0')
		return store_suspend(call, device);
	return store_free(call, device);
}

err_t registration_resumed(struct call *call, const Event__Resumed *event)
{
	const char *device;

	return is_holder(call, event->subject, &device) ? store_resume(call, device) : OK;
}
