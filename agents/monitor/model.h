/*
 * model: what lanyard monitor shows, of the connections that a gateway has listed: totals, and
 * which connections make one tunnel. It is the document that --json prints.
 */
#pragma once

#include <jansson.h>

/*
 * {"time", "totals": {...}, "tunnels": [{"kind", "id", "tenant", "since", "rate", "bytes",
 * "connections"}], "connections"}: a tunnel is a pair that is joined or a tunnel server with its
 * clients, the one that carries most first. Shares its parts with `connections`.
 */
json_t *model_make(json_t *connections, const char *time);

/* Members of it, and of a connection; "" and 0 for what is not there. */
const char *model_text(const json_t *object, const char *member);
json_int_t model_number(const json_t *object, const char *member);
