/*
 * asks: questions to the portal whether clients may come in; a few at a time, and each again while
 * the portal is busy or can't be reached: who has no answer tries again by itself, who has a wrong
 * one gives up. The loop's thread.
 */
#pragma once

#include "agents/fetch.h"
#include "agents/openvpn/authority.h"
#include "agents/openvpn/proven.h"

struct asks;

struct asks_options {
	struct loop *loop;
	struct fetcher *fetcher;
	const struct device *device;
	const struct vpn_start *start;
	const struct proven *proven;
	void *context;
	/* The answer; NULL: there was none, and `fault` says why. */
	void (*answered)(void *context, const struct management_event *asked,
		const struct vpn_decision *decision, const struct fault *fault);
	/* The portal does not take us for this server any more. */
	void (*dismissed)(void *context, const struct fault *fault);
};

struct asks *asks_create(const struct asks_options *options);
void asks_destroy(struct asks *asks); /* NULL is fine */

void asks_add(struct asks *asks, const struct management_event *asked);
