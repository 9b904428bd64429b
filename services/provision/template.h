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
	const char *dir;			     /* template_check_dir */
};

/* Refuses, with the number of the line, what is not on the list, and other files than those that
 * the package has, by their names in it (package_check_names). */
err_t template_check(struct call *call, const char *text, const char *file_names) MUST_CHECK;

/* A directory that may stand before the names of files: nothing, or a path of plain words that ends
 * with a slash. */
err_t template_check_dir(struct call *call, const char *dir) MUST_CHECK;

/* The text with {{serial}}, {{device}}, {{name}}, {{tenant}} and {{dir}} replaced. */
const char *template_expand(
	struct call *call, const char *text, const struct template_values *values);
