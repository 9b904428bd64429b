/* config: the configuration of the OpenVPN server. Over memory only. */
#pragma once

#include "agents/openvpn/authority.h"

#define CONFIG_KEY	   "key.pem"
#define CONFIG_CERTIFICATE "certificate.pem"
#define CONFIG_TRUST	   "ca.pem"
#define CONFIG_TA_KEY	   "ta.key"
#define CONFIG_TLS_CRYPT   "tls-crypt.key"
#define CONFIG_SOCKET	   "management.sock"
#define CONFIG_FILE	   "server.conf"

/* The text of the file; malloc'ed. Files are named as above. */
char *config_text(const struct vpn_start *start, const char *interface);

/* The settings of one client, for client-auth: lines that end with END. `own` is the server's
 * address of IPv6. */
char *config_client(const struct vpn_start *start, const struct vpn_decision *decision);
