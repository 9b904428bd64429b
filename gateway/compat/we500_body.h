/*
 * we500_body: what a device says when it has put a package to use. Nobody knows how it says it, so
 * what is plausible is taken: nothing, XML with one element `status`, or a form with `status`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define WE500_BODY_MAX 4096

enum we500_body { WE500_BODY_ENABLE, WE500_BODY_OTHER, WE500_BODY_MALFORMED };

/* Is it "enable" (or 2), some other status, or nothing that can be understood? Any thread. */
enum we500_body we500_body_read(const char *body, size_t len);
