/* authorize: the authorization endpoint, where a query can't be read at all. In workers. */
#pragma once

#include "gateway/api.h"

#include <stdbool.h>

/* After target_parse has refused the query: shows so, if it is for the authorization endpoint,
 * where people see it and no program. False: it is for another path, and nothing is done. */
bool authorize_refuse(struct api_request *request);
