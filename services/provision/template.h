/*
 * template: the client.conf of a tenant's packages. Whoever can alter it owns the devices, because
 * OpenVPN starts programs that its configuration names: so each line must be a directive of a list,
 * with as many plain arguments as it takes. Pure, any thread.
 */
#pragma once

#include "lib/call.h"

#define TEMPLATE_MAX 4096

struct template_values {
	const char *serial, *device, *name, *tenant; /* plain words all of them */
};

/* Refuses, with the number of the line, what is not on the list. */
err_t template_check(struct call *call, const char *text) MUST_CHECK;

/* The text with {{serial}}, {{device}}, {{name}} and {{tenant}} replaced. */
const char *template_expand(
	struct call *call, const char *text, const struct template_values *values);
