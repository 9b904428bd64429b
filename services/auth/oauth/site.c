/* site: the host names under which people of a tenant sign in. Runs in the thread of the call. */
#include "services/auth/oauth/oauth.h"

#include "lib/check.h"
#include "services/auth/authority.h"
#include "services/auth/oauth/oauth_store.h"
#include "services/auth/outside/txt.h"
#include "services/auth/request.h"

#include <string.h>

#define HOST_MAX 253 /* bytes, RFC 1035 */

/* A name of DNS labels, or an IPv4 address, in small letters. */
static err_t check_host(struct call *call, const char *host)
{
	size_t len = strnlen(host, HOST_MAX + 1);

	if (len == 0 || len > HOST_MAX ||
		strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len ||
		strchr(".-", host[0]) != NULL || strchr(".-", host[len - 1]) != NULL ||
		strstr(host, "..") != NULL)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "name",
			"expected a host name in small letters, without port");
	return OK;
}

/* The word of whoever has the host's DNS, or of an operator of the fleet: else a tenant could make
 * the host of another, or the fleet's own, its site, and ask people for their passwords there. */
static err_t check_proof(struct call *call, const char *host)
{
	const char *record = arena_printf(call->arena, "_lanyard.%s", host);
	const char *text = arena_printf(call->arena, "tenant=%s", call->tenant);
	bool fleet, found;
	err_t err = authority_of_fleet(call, &fleet);

	if (err != OK || fleet)
		return err;
	if (strspn(host, "0123456789.") == strlen(host))
		return call_refuse(call, ERR_PERMISSION_DENIED, "name",
			"only an operator of the fleet makes an address a site");
	if ((err = txt_find(call, record, text, &found)) != OK || found)
		return err;
	return call_refuse(call, ERR_FAILED_PRECONDITION, "name",
		"expected a TXT record %s with the text %s, which shows that the host is yours",
		record, text);
}

err_t create_site(struct call *call, const Auth__CreateSiteRequest *request, Auth__Site *reply)
{
	err_t err;

	if ((err = check_host(call, request->name)) != OK ||
		(err = check_proof(call, request->name)) != OK)
		return err;
	return store_site_create(call, request->name, reply);
}

err_t get_site(struct call *call, const Auth__Ref *request, Auth__Site *reply)
{
	err_t err = check_uuid(call, "id", request->id);

	return err == OK ? store_site_get(call, request->id, reply) : err;
}

err_t list_sites(struct call *call, const Auth__ListRequest *request, Auth__SiteList *reply)
{
	err_t err = request_check_list(call, request);

	return err == OK ? store_site_list(call, request, reply) : err;
}

err_t delete_site(struct call *call, const Auth__Ref *request, Auth__Empty *reply)
{
	Auth__Site site = AUTH__SITE__INIT;
	err_t err;

	(void)reply;
	if ((err = check_uuid(call, "id", request->id)) != OK ||
		(err = store_site_get(call, request->id, &site)) != OK ||
		(err = request_check_version(call, request->version, site.version)) != OK)
		return err;
	return store_site_delete(call, request->id);
}

err_t find_site(struct call *call, const Auth__FindSiteRequest *request, Auth__SiteTenant *reply)
{
	err_t err = check_host(call, request->host);

	if (err != OK)
		return call_refuse(call, ERR_NOT_FOUND, "host", "nobody signs in at this host");
	return store_site_find(call, request->host, reply);
}
