/*
 * eduvpn: the APIs that people's VPN apps speak, of old (API 2) and of today (API 3), at the paths
 * of the server that they come from (docs/eduvpn.md). In workers.
 */
#pragma once

#include "gateway/compat/face.h"

#define EDUVPN_PORTAL "/vpn-user-portal"
#define EDUVPN_API    EDUVPN_PORTAL "/api.php"
