/* tables: the list of every resource's routes. */
#include "gateway/api/tables.h"

const struct route *const api_tables[] = {
	tenants_routes,
	users_routes,
	api_keys_routes,
	enrolment_keys_routes,
	networks_routes,
	devices_routes,
	portals_routes,
	certificates_routes,
	members_routes,
	sessions_routes,
	names_routes,
	zones_routes,
	registrations_routes,
	pairs_routes,
	connections_routes,
	tokens_routes,
	enrolments_routes,
	attachments_routes,
	signing_keys_routes,
	network_events_routes,
	openapi_routes,
	NULL,
};
