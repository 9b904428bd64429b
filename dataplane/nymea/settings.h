/*
 * settings: what can be set of the faces for nymea's clients. The defaults are the original's.
 */
#pragma once

#include "lib/config.h"
#include "lib/err.h"

#include <stdbool.h>

struct nymea_settings {
	const char *pair_ws, *pair_tcp, *pair_unix; /* "": closed */
	const char *tunnel_ws, *tunnel_tcp, *tunnel_unix;
	bool tls;
	const char *tls_cert, *tls_key; /* "": those of the node */
	const char *tls_chain;
	const char *name, *pair_version, *pair_api, *tunnel_version, *tunnel_api;
	long json_rpc_timeout_ms, authentication_timeout_ms, inactive_timeout_ms, alone_timeout_ms,
		server_timeout_ms;
	const char *authenticator;
	const char *tenant;
	const char *authorizer_url;
	long authorizer_cache_s;
	const char *aws_region, *aws_function, *aws_credentials_url, *aws_endpoint;
	const char *monitor_socket, *log_engine;
	long per_address;
	const char *config, *log_file;
};

#define NYMEA_NO_TENANT "00000000-0000-0000-0000-000000000000"

/* Rows of the process's table of settings. */
/* clang-format off */
#define NYMEA_CONFIG(s)                                                                            \
	{ "LANYARD_NYMEA_PAIR_WS", "", &(s).pair_ws, CONFIG_TEXT,                                  \
		"ADDRESS:PORT where nymea's clients pair over WebSocket (1212 there); empty: nowhere", 0, 0 }, \
	{ "LANYARD_NYMEA_PAIR_TCP", "", &(s).pair_tcp, CONFIG_TEXT,                                \
		"ADDRESS:PORT where they pair over TCP (1213); empty: nowhere", 0, 0 },            \
	{ "LANYARD_NYMEA_PAIR_UNIX", "", &(s).pair_unix, CONFIG_TEXT,                              \
		"path of a unix socket where they pair; empty: nowhere", 0, 0 },                   \
	{ "LANYARD_NYMEA_TUNNEL_WS", "", &(s).tunnel_ws, CONFIG_TEXT,                              \
		"ADDRESS:PORT of nymea's tunnel proxy over WebSocket (2212); empty: nowhere", 0, 0 }, \
	{ "LANYARD_NYMEA_TUNNEL_TCP", "", &(s).tunnel_tcp, CONFIG_TEXT,                            \
		"ADDRESS:PORT of nymea's tunnel proxy over TCP (2213); empty: nowhere", 0, 0 },    \
	{ "LANYARD_NYMEA_TUNNEL_UNIX", "", &(s).tunnel_unix, CONFIG_TEXT,                          \
		"path of a unix socket of the tunnel proxy; empty: nowhere", 0, 0 },               \
	{ "LANYARD_NYMEA_TLS", "true", &(s).tls, CONFIG_BOOL,                                      \
		"TLS on these ports; never on unix sockets", 0, 0 },                               \
	{ "LANYARD_NYMEA_TLS_CERT", "", &(s).tls_cert, CONFIG_TEXT,                                \
		"PEM file of their certificate and its chain; empty: LANYARD_TLS_CERT", 0, 0 },    \
	{ "LANYARD_NYMEA_TLS_KEY", "", &(s).tls_key, CONFIG_TEXT,                                  \
		"PEM file of the certificate's private key; empty: LANYARD_TLS_KEY", 0, 0 },       \
	{ "LANYARD_NYMEA_TLS_CHAIN", "", &(s).tls_chain, CONFIG_TEXT,                              \
		"PEM file of the certificates between it and its authority; empty: they are in its file", 0, 0 }, \
	{ "LANYARD_NYMEA_NAME", "nymea-remoteproxy", &(s).name, CONFIG_TEXT,                       \
		"name that RemoteProxy.Hello tells", 0, 0 },                                       \
	{ "LANYARD_NYMEA_PAIR_VERSION", "0.1.7", &(s).pair_version, CONFIG_TEXT,                   \
		"server version that Hello tells where clients pair", 0, 0 },                      \
	{ "LANYARD_NYMEA_PAIR_API", "0.3", &(s).pair_api, CONFIG_TEXT,                             \
		"API version that Hello tells where clients pair: 0.3 or 5", 0, 0 },               \
	{ "LANYARD_NYMEA_TUNNEL_VERSION", "1.13.0", &(s).tunnel_version, CONFIG_TEXT,              \
		"server version that Hello of the tunnel proxy tells", 0, 0 },                     \
	{ "LANYARD_NYMEA_TUNNEL_API", "6", &(s).tunnel_api, CONFIG_TEXT,                           \
		"API version that Hello of the tunnel proxy tells: 5 or 6", 0, 0 },                \
	{ "LANYARD_NYMEA_JSON_RPC_TIMEOUT_MS", "10000", &(s).json_rpc_timeout_ms, CONFIG_INT,      \
		"for the answer to a request", 1, 3600000 },                                       \
	{ "LANYARD_NYMEA_AUTHENTICATION_TIMEOUT_MS", "8000", &(s).authentication_timeout_ms, CONFIG_INT, \
		"for the authenticator", 1, 3600000 },                                             \
	{ "LANYARD_NYMEA_INACTIVE_TIMEOUT_MS", "8000", &(s).inactive_timeout_ms, CONFIG_INT,       \
		"for a client to authenticate or register", 1, 3600000 },                          \
	{ "LANYARD_NYMEA_ALONE_TIMEOUT_MS", "8000", &(s).alone_timeout_ms, CONFIG_INT,             \
		"for the other client to come", 1, 3600000 },                                      \
	{ "LANYARD_NYMEA_SERVER_TIMEOUT_MS", "60000", &(s).server_timeout_ms, CONFIG_INT,          \
		"for the next bytes of a tunnel server, which pings each 30 s", 1, 3600000 },      \
	{ "LANYARD_NYMEA_AUTHENTICATOR", "lanyard", &(s).authenticator, CONFIG_TEXT,               \
		"who judges tokens: lanyard (access tokens, enrolment keys), http, aws, or mock (anyone; loopback only)", 0, 0 }, \
	{ "LANYARD_NYMEA_TENANT", NYMEA_NO_TENANT, &(s).tenant, CONFIG_TEXT,                       \
		"UUID of the tenant of clients whose token names none, and of the tunnel proxy", 0, 0 }, \
	{ "LANYARD_NYMEA_AUTHORIZER_URL", "", &(s).authorizer_url, CONFIG_TEXT,                    \
		"authenticator http: where the token is asked about by POST", 0, 0 },              \
	{ "LANYARD_NYMEA_AUTHORIZER_CACHE_S", "30", &(s).authorizer_cache_s, CONFIG_INT,           \
		"authenticator http: how long a yes is remembered", 0, 3600 },                     \
	{ "LANYARD_NYMEA_AWS_REGION", "eu-west-1", &(s).aws_region, CONFIG_TEXT,                   \
		"authenticator aws: region of the Lambda function", 0, 0 },                        \
	{ "LANYARD_NYMEA_AWS_FUNCTION", "system-services-authorizer-dev-checkToken", &(s).aws_function, CONFIG_TEXT, \
		"authenticator aws: name of the Lambda function", 0, 0 },                          \
	{ "LANYARD_NYMEA_AWS_CREDENTIALS_URL",                                                     \
		"http://169.254.169.254/latest/meta-data/iam/security-credentials/EC2-Remote-Connection-Proxy-Role", \
		&(s).aws_credentials_url, CONFIG_TEXT, "authenticator aws: where its credentials come from", 0, 0 }, \
	{ "LANYARD_NYMEA_AWS_ENDPOINT", "", &(s).aws_endpoint, CONFIG_TEXT,                        \
		"authenticator aws: URL of the Lambda service; empty: that of the region", 0, 0 }, \
	{ "LANYARD_NYMEA_MONITOR_SOCKET", "", &(s).monitor_socket, CONFIG_TEXT,                    \
		"path of nymea-remoteproxy-monitor's socket; empty: none", 0, 0 },                 \
	{ "LANYARD_NYMEA_LOG_ENGINE", "", &(s).log_engine, CONFIG_TEXT,                            \
		"beginning of the paths of nymea's statistics files; empty: none", 0, 0 },         \
	{ "LANYARD_NYMEA_PER_ADDRESS", "1000", &(s).per_address, CONFIG_INT,                       \
		"connections from one address", 1, 1000000 },                                      \
	{ "LANYARD_NYMEA_CONFIG", "", &(s).config, CONFIG_TEXT,                                    \
		"nymea-remoteproxy's configuration file, whose keys stand for these settings where they are not set", 0, 0 }, \
	{ "LANYARD_NYMEA_LOG_FILE", "", &(s).log_file, CONFIG_TEXT,                                \
		"file that the log is appended to; empty: standard error", 0, 0 }

/* clang-format on */

/* Sends the log where it is to go. Errors are logged. */
err_t nymea_settings_log(const struct nymea_settings *settings) MUST_CHECK;

/* Looks at them after they were read. */
err_t nymea_settings_check(const struct nymea_settings *settings, struct fault *fault) MUST_CHECK;
