/*
 * tls_certificate: what a certificate file says about itself. Any thread.
 */
#pragma once

#include "lib/err.h"

#include <stdint.h>

struct tls_life {
	int64_t from_s, until_s; /* Unix time */
};

/* Reads how long the first certificate of a PEM file is good. ERR_NOT_FOUND: there is no such file.
 */
err_t tls_certificate_life(const char *path, struct tls_life *life, struct fault *fault) MUST_CHECK;
