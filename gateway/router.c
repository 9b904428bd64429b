/* router: compares segment by segment, row by row. No state; any thread. */
#include "gateway/router.h"

#include "lib/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool name_is(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	return strncmp(name, wanted, len) == 0 && name[len] == '}';
}

static void parameter_add(struct route_match *match, const char *name, const char *value)
{
	if (match->n_parameters == ROUTE_PARAMETERS_MAX)
		BUG("a path has more than %d parameters", ROUTE_PARAMETERS_MAX);
	match->parameters[match->n_parameters++] =
		(struct parameter){ .name = name, .value = value };
}

/* `pattern` is what stands between two slashes of a row's path. */
static bool segment_matches(
	const char *pattern, size_t len, const char *segment, struct route_match *match)
{
	if (pattern[0] != '{')
		return strlen(segment) == len && memcmp(pattern, segment, len) == 0;
	if (segment[0] == '\0')
		return false;
	parameter_add(match, pattern + 1, segment);
	return true;
}

static bool path_matches(
	const char *pattern, const struct target *target, struct route_match *match)
{
	size_t n = 0;

	match->n_parameters = 0;
	while (*pattern == '/') {
		size_t len = strcspn(++pattern, "/");

		if (n == target->n_segments ||
			!segment_matches(pattern, len, target->segments[n], match))
			return false;
		n++;
		pattern += len;
	}
	return n == target->n_segments;
}

static void allow_add(struct route_match *match, const char *method)
{
	size_t len = strlen(match->allow);

	snprintf(match->allow + len, sizeof(match->allow) - len, "%s%s", len > 0 ? ", " : "",
		method);
}

err_t router_match(const struct route *const tables[], const char *method,
	const struct target *target, struct route_match *match)
{
	memset(match, 0, sizeof(*match));
	for (; *tables != NULL; tables++)
		for (const struct route *route = *tables; route->method != NULL; route++) {
			if (!path_matches(route->path, target, match))
				continue;
			if (strcmp(route->method, method) == 0) {
				match->route = route;
				return OK;
			}
			allow_add(match, route->method);
		}
	return match->allow[0] != '\0' ? ERR_UNIMPLEMENTED : ERR_NOT_FOUND;
}

const char *route_parameter(const struct route_match *match, const char *name)
{
	for (size_t i = 0; i < match->n_parameters; i++)
		if (name_is(match->parameters[i].name, name))
			return match->parameters[i].value;
	return NULL;
}
