/*
 * settings: the texts of the operator's settings, checked and made into what records need. Pure.
 */
#pragma once

#include "lib/err.h"
#include "services/dns/records.h"

/* As the environment has them. */
struct settings_texts {
	const char *zone, *names_zone, *server, *address, *tunnel, *caa;
};

/* Fills `records`; of a wrong one the fault names the setting: ERR_INVALID_ARGUMENT. An empty
 * server is ns1 of the zone, an empty zone of names is box. of it. Keeps the text of `caa`. */
err_t settings_read(const struct settings_texts *texts, struct records_settings *records,
	struct fault *fault) MUST_CHECK;
