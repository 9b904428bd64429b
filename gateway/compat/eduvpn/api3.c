/*
 * api3: what apps of today ask for. Some take no reply that differs in a header or a key from what
 * they know (docs/eduvpn.md). In workers.
 */
#include "gateway/compat/eduvpn/eduvpn.h"

#include "proto/gateway.pb-c.h"

/* ---- info ---- */

static err_t info(struct eduvpn *edu)
{
	struct arena *arena = edu->request->call->arena;
	Gateway__AppProfiles profiles = GATEWAY__APP_PROFILES__INIT;
	Gateway__AppInfo reply = GATEWAY__APP_INFO__INIT;
	const Provision__ProfileList *list;
	err_t err = eduvpn_ask(edu, "ListAppProfiles", &edu->app.base, (const void **)&list);

	if (err != OK)
		return err;
	profiles.profile_list =
		arena_alloc(arena, (list->n_items + 1) * sizeof(*profiles.profile_list));
	for (size_t i = 0; i < list->n_items; i++) {
		Gateway__AppProfile *profile = arena_alloc(arena, sizeof(*profile));

		gateway__app_profile__init(profile);
		profile->profile_id = list->items[i]->profile_id;
		profile->display_name = list->items[i]->display_name;
		profile->n_vpn_proto_list = list->items[i]->n_protocols;
		profile->vpn_proto_list = list->items[i]->protocols;
		profile->default_gateway = list->items[i]->default_gateway;
		profiles.profile_list[profiles.n_profile_list++] = profile;
	}
	reply.info = &profiles;
	face_reply_json(edu->request, HTTP_OK, &reply.base);
	return OK;
}

/* ---- disconnect ---- */

static err_t disconnect(struct eduvpn *edu)
{
	const void *nothing;
	err_t err = eduvpn_ask(edu, "DisconnectApp", &edu->app.base, &nothing);

	if (err == OK)
		face_reply(edu->request, HTTP_NO_CONTENT, NULL, NULL);
	return err;
}

const struct eduvpn_operation eduvpn_api3[] = {
	{ "info", "GET", info },
	{ "connect", "POST", eduvpn_connect },
	{ "disconnect", "POST", disconnect },
	{ NULL, NULL, NULL },
};
