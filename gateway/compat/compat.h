/*
 * compat: the faces of other systems' APIs, one file each: their paths, their credentials, their
 * errors, over the same bus calls. What they do is written down in docs/, not in openapi.yaml.
 */
#pragma once

#include "gateway/api.h"

#include <stdbool.h>

/* Serves the request if its path is one of theirs; else false, and nothing is done. */
bool compat_serve(struct api_request *request);

/* Each is a face: true if the path was its own. */
bool we500_serve(struct api_request *request);
bool eduvpn_serve(struct api_request *request);

/* There is no time to ask anybody: answers a poll from memory. False if it is none, or not known.
 */
bool we500_serve_busy(struct api_request *request);
