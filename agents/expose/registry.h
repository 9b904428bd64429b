/*
 * registry: what a device asks of the portal about its names: registering one with the device's own
 * credentials; everything after that with the name's token. Replies are checked here, nothing
 * behind it checks again.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/state.h"
#include "agents/url.h"

#include "lib/err.h"

#include <stdint.h>

#define REGISTRY_NAME_SIZE  254
#define REGISTRY_TOKEN_SIZE 64
#define REGISTRY_URLS_MAX   8

typedef void (*registry_done)(void *context, const struct fetch_reply *reply);

/* A name that was registered just now. */
struct registration {
	char name[REGISTRY_NAME_SIZE]; /* fully qualified */
	char token[REGISTRY_TOKEN_SIZE];
};

/* What the portal tells the holder of a name. */
struct name_info {
	char name[REGISTRY_NAME_SIZE];
	char urls[REGISTRY_URLS_MAX][URL_MAX]; /* where its tunnel begins */
	unsigned n_urls;
	uint32_t expire_s; /* silence that it survives; 0: any */
};

/* Registers `label` in `zone` (NULL: where devices usually do). */
struct fetch *registry_register(struct fetcher *fetcher, const struct device *device,
	const char *label, const char *zone, registry_done done, void *context);
err_t registry_registered(const struct fetch_reply *reply, struct registration *registration,
	struct fault *fault) MUST_CHECK;

/* A sign of life, with the addresses that the name has in its own network, and the ACME account
 * that may have certificates for it (NULL: as before). */
struct fetch *registry_report(struct fetcher *fetcher, const struct device *device,
	const char *token, const char *addresses, const char *account, registry_done done,
	void *context);

struct fetch *registry_ask(struct fetcher *fetcher, const struct device *device, const char *token,
	registry_done done, void *context);
err_t registry_info(
	const struct fetch_reply *reply, struct name_info *info, struct fault *fault) MUST_CHECK;

/* Adds a value to the answer to an ACME challenge; "" removes all. */
struct fetch *registry_challenge(struct fetcher *fetcher, const struct device *device,
	const char *token, const char *value, registry_done done, void *context);
