/*
 * vpn_fixture: a network of a tenant with a profile and a VPN server of the profile or the network,
 * for tests of who may connect to it.
 */
#pragma once

#include "tests/component/provision_fixture.h"

#include "proto/portal.pb-c.h"
#include "proto/profile.pb-c.h"
#include "proto/vpn.pb-c.h"

#define ASK(step, service, method, request, reply)                                                 \
	ask(step, &provision__##service##__descriptor, method, &(request)->base,                   \
		(const void **)(reply))

struct world {
	struct step step;
	const Provision__Network *network;
	const Provision__Profile *profile;
	const Provision__VpnServer *server;
	const char *run;  /* of the server */
	uint64_t carried; /* to the clients, as the server reports */
};

static void close_world(struct world *world)
{
	step_close(&world->step);
}

#define AUTO_WORLD __attribute__((cleanup(close_world))) struct world

static const char *make_device(struct world *world, const char *name)
{
	Provision__CreatePortalDeviceRequest request =
		PROVISION__CREATE_PORTAL_DEVICE_REQUEST__INIT;
	const Provision__PortalDevice *device;

	request.name = request.serial = (char *)(uintptr_t)name;
	request.network = world->network->id;
	ASSERT_OK(
		&world->step, ASK(&world->step, portals, "CreatePortalDevice", &request, &device));
	return device->id;
}

static const char *make_user(struct world *world, const char *name)
{
	Auth__CreateUserRequest request = AUTH__CREATE_USER_REQUEST__INIT;
	const Auth__User *user;

	request.name = (char *)(uintptr_t)name;
	request.role = "member";
	request.password = "correct horse battery";
	ASSERT_OK(&world->step, ASK_AUTH(&world->step, "CreateUser", &request, &user));
	return user->id;
}

/* The way into the network for people. */
static Provision__ProfileRequest office_profile(const struct world *world)
{
	static char *ports[] = { "udp/1194" };
	Provision__ProfileRequest request = PROVISION__PROFILE_REQUEST__INIT;

	request.profile_id = "office";
	request.network = world->network->id;
	request.display_name = "Office";
	request.mode = "tap";
	request.host = "vpn.example.org";
	request.ports = ports;
	request.n_ports = ARRAY_LEN(ports);
	return request;
}

/* An app of the user, with an authorization of its own. */
static Provision__App app_of(struct world *world, const char *user)
{
	static unsigned n;
	Provision__App app = PROVISION__APP__INIT;

	app.user = (char *)(uintptr_t)user;
	app.authorization =
		arena_printf(world->step.call.arena, "00000000-0000-7000-8000-%012x", ++n);
	app.client_id = "org.eduvpn.app";
	app.expires_at = clock_unix_ms() / 1000 + 3600;
	return app;
}
