/* store_device: the SQL of devices; see store.h. Runs in the thread of the call. */
#include "services/provision/store.h"

#include <string.h>

#define COLUMNS                                                                                    \
	"id, name, state, tags, enrolment_key_id AS enrolment_key,"                                \
	" fabric.rfc3339(created_at) AS created_at,"                                               \
	" fabric.rfc3339(attached_at) AS attached_at, version"

static err_t refuse_device(struct call *call, err_t err, const char *name)
{
	if (strcmp(db_constraint(call->db), "device_name") == 0)
		return call_refuse(
			call, ERR_ALREADY_EXISTS, "name", "there is a device %s already", name);
	return err;
}

/* Tags hold no control characters, so a line feed can part them. */
static const char *join_lines(struct call *call, char *const lines[], size_t n)
{
	size_t len = 1;
	char *text, *end;

	for (size_t i = 0; i < n; i++)
		len += strlen(lines[i]) + 1;
	end = text = arena_alloc(call->arena, len);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			*end++ = '\n';
		end = stpcpy(end, lines[i]);
	}
	return text;
}

err_t store_device_create(
	struct call *call, const Provision__Device *device, Provision__Device *reply)
{
	static const struct db_statement statement = {
		"INSERT INTO provision.device (tenant_id, name, state, tags, enrolment_key_id)"
		" VALUES ($1, $2, $3, string_to_array($4, chr(10)), $5) RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, device->name, device->state,
		join_lines(call, device->tags, device->n_tags), device->enrolment_key };
	err_t err;

	err = db_one(call, &statement, &reply->base, "device", ARRAY_LEN(params), params);
	return err == OK ? OK : refuse_device(call, err, device->name);
}

err_t store_device_get(struct call *call, const char *id, Provision__Device *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS " FROM provision.device WHERE tenant_id = $1 AND id = $2"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "device", ARRAY_LEN(params), params);
}

/* A page of devices, with one statement for each filter: see store_page. */
#define PAGE(filter)                                                                               \
	"SELECT " COLUMNS " FROM provision.device"                                                 \
	" WHERE tenant_id = $1 AND id > $2" filter " ORDER BY id LIMIT $3"

static const struct db_statement pages[] = {
	{ PAGE("") },
	{ PAGE(" AND state = $4") },
	{ PAGE(" AND ($4::text IS NULL OR state = $4) AND name = $5") },
};

err_t store_device_list(
	struct call *call, const Provision__ListRequest *request, Provision__DeviceList *reply)
{
	const char *params[] = { call->tenant, store_cursor(request->cursor),
		store_limit(call, request->limit), store_filter(request->state),
		store_filter(request->name) };

	return store_page(call, pages, &reply->base, request->limit, ARRAY_LEN(params), params);
}

/* An attach takes this lock too, so that no token is signed for a device while it is being blocked.
 */
err_t store_device_lock(struct call *call, const char *id, Provision__Device *reply)
{
	static const struct db_statement statement = {
		"SELECT " COLUMNS
		" FROM provision.device WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"
	};
	const char *params[] = { call->tenant, id };

	return db_one(call, &statement, &reply->base, "device", ARRAY_LEN(params), params);
}

err_t store_device_update(struct call *call, const char *id, const char *name, const char *state,
	Provision__Device *reply)
{
	static const struct db_statement statement = {
		"UPDATE provision.device SET name = $3, state = $4, version = version + 1"
		" WHERE tenant_id = $1 AND id = $2 RETURNING " COLUMNS
	};
	const char *params[] = { call->tenant, id, name, state };
	err_t err;

	err = db_one(call, &statement, &reply->base, "device", ARRAY_LEN(params), params);
	return err == OK ? OK : refuse_device(call, err, name);
}

err_t store_device_attached(struct call *call, const char *id)
{
	static const struct db_statement statement = {
		"UPDATE provision.device SET attached_at = now() WHERE tenant_id = $1 AND id = $2"
		" AND coalesce(attached_at < now() - interval '1 minute', true)"
	};

	return DB_QUERY(call, &statement, NULL, call->tenant, id);
}
