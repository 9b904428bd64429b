/* own: see own.h. */
#include "services/provision/vpn/own.h"

#include "lib/check.h"
#include "services/provision/vpn/store_vpn.h"

#include <string.h>

err_t own_refuse_stranger(struct call *call)
{
	return call_refuse(call, ERR_FAILED_PRECONDITION, "network",
		"the device is no member of the server's network any more");
}

err_t own_find(struct call *call, const char *device, const char *id, const char *kind, bool lock,
	struct own_server *own)
{
	AUTO_ROWS rows = NULL;
	err_t err;

	if ((err = check_uuid(call, "device", device)) != OK ||
		(*id != '\0' && (err = check_uuid(call, "server", id)) != OK) ||
		(err = store_vpn_server_own(
			 call, &(struct store_vpn_own){ device, id, kind, lock }, &rows)) != OK)
		return err;
	if (db_count(rows) == 0)
		return call_refuse(call, ERR_NOT_FOUND, "server",
			"the device has no such VPN server of the kind %s: an operator makes one "
			"(POST vpn-servers), and the device has to be approved",
			kind);
	if (db_count(rows) > 1)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "server",
			"expected the id of a VPN server: the device has several of the kind %s",
			kind);
	if (!db_bool(rows, 0, "is_member"))
		return own_refuse_stranger(call);
	provision__vpn_server__init(&own->server);
	db_message(rows, 0, call->arena, &own->server.base);
	own->run = arena_strdup(call->arena, db_text(rows, 0, "run"));
	own->profile = arena_strdup(call->arena, db_text(rows, 0, "profile_name"));
	return OK;
}

err_t own_find_run(struct call *call, const char *device, const char *id, const char *kind,
	const char *run, struct own_server *own)
{
	err_t err;

	if ((err = check_uuid(call, "server", id)) != OK ||
		(err = own_find(call, device, id, kind, false, own)) != OK)
		return err;
	if (strcmp(own->run, run) != 0)
		return call_refuse(call, ERR_FAILED_PRECONDITION, "run",
			"the VPN server was started again: this run of it is over");
	return OK;
}
