/*
 * tables: the routes of each resource, in the file of its name. A row whose method is NULL ends
 * each.
 */
#pragma once

#include "gateway/api.h"

/* A row for a method of SERVICE, which each file defines; what else the row has follows by name. */
#define ROUTE(verb, pattern, needs, call, ...)                                                     \
	{                                                                                          \
		.method = verb, .path = pattern, .scope = needs, .service = SERVICE, .rpc = call,  \
		##__VA_ARGS__                                                                      \
	}

extern const struct route tenants_routes[];
extern const struct route export_routes[];
extern const struct route users_routes[];
extern const struct route groups_routes[];
extern const struct route invitations_routes[];
extern const struct route identity_providers_routes[];
extern const struct route federation_routes[];
extern const struct route api_keys_routes[];
extern const struct route sites_routes[];
extern const struct route oauth_clients_routes[];
extern const struct route authorizations_routes[];
extern const struct route sign_ins_routes[];
extern const struct route enrolment_keys_routes[];
extern const struct route networks_routes[];
extern const struct route devices_routes[];
extern const struct route portals_routes[];
extern const struct route rollouts_routes[];
extern const struct route claims_routes[];
extern const struct route audit_records_routes[];
extern const struct route certificates_routes[];
extern const struct route profiles_routes[];
extern const struct route notices_routes[];
extern const struct route members_routes[];
extern const struct route sessions_routes[];
extern const struct route names_routes[];
extern const struct route zones_routes[];
extern const struct route registrations_routes[];
extern const struct route pairs_routes[];
extern const struct route connections_routes[];
extern const struct route tokens_routes[];
extern const struct route enrolments_routes[];
extern const struct route attachments_routes[];
extern const struct route manifests_routes[];
extern const struct route signing_keys_routes[];
extern const struct route network_events_routes[];
extern const struct route vpn_routes[];
extern const struct route openapi_routes[];
