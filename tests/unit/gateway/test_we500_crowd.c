/* Contract statement 39: of an address from which somebody has tried too many serial numbers, 5,000
 * known devices are answered as ever, and nobody else is. Nothing but the gateway's own memory is
 * asked: there is no bus here. */
#include "gateway/api.h"
#include "gateway/compat/we500_memory.h"

#include "lib/clock.h"

#include <criterion/criterion.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DEVICES 5000
#define ADDRESS "192.0.2.7"
#define GUESSES 200

static struct api api;

static void remember(const char *serial)
{
	Provision__PortalRequest asker = PROVISION__PORTAL_REQUEST__INIT;
	Provision__PortalStatus status = PROVISION__PORTAL_STATUS__INIT;

	asker.serial = (char *)(uintptr_t)serial;
	asker.password = "secret";
	asker.host = "portal.test";
	asker.source = ADDRESS;
	status.status = 2;
	status.interval_s = 900;
	status.settled = true;
	we500_memory_keep(&asker, &status, we500_memory_changes(), clock_ms());
}

static enum http_status poll_as(const char *serial)
{
	struct http_request http = {
		.method = "GET",
		.target = "/api/v1/vpn",
		.headers = { .host = "portal.test" },
		.origin = ADDRESS,
		.address = ADDRESS,
	};
	struct http_reply reply = { 0 };
	char plain[64], basic[128] = "Basic ";
	enum http_status status;

	call_init(&http.call, NULL, "service:gateway", 5000);
	snprintf(plain, sizeof(plain), "%s:secret", serial);
	sodium_bin2base64(basic + strlen(basic), sizeof(basic) - strlen(basic),
		(const unsigned char *)plain, strlen(plain), sodium_base64_VARIANT_ORIGINAL);
	http.headers.authorization = basic;
	api_serve(&api, &http, &reply);
	status = reply.status;
	call_finish(&http.call);
	return status;
}

Test(we500_crowd, known_devices_of_an_address_are_not_held_back_with_it)
{
	char serial[32];

	api.principals = limit_create(100, 200);
	api.addresses = limit_create(100, 200);
	api.guesses = limit_create(3, GUESSES);
	for (int n = 0; n < DEVICES; n++) {
		snprintf(serial, sizeof(serial), "WE-%06d", n);
		remember(serial);
	}
	for (int n = 0; n < GUESSES; n++) /* so many were tried and refused */
		(void)limit_take(api.guesses, ADDRESS, 1, clock_ms());
	cr_assert_eq(poll_as("XX-000001"), HTTP_TOO_MANY_REQUESTS);
	for (int n = 0; n < DEVICES; n++) {
		snprintf(serial, sizeof(serial), "WE-%06d", n);
		cr_assert_eq(poll_as(serial), HTTP_OK, "%s", serial);
	}
	limit_destroy(api.principals);
	limit_destroy(api.addresses);
	limit_destroy(api.guesses);
}
