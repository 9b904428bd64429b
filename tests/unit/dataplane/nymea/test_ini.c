/* ini: the original's file, every key of it, becomes our settings. */
#include "dataplane/nymea/ini.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static char got[4096];

static void set(void *context, const char *name, const char *value)
{
	(void)context;
	cr_assert_eq(strncmp(name, "LANYARD_", 8), 0);
	snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s=%s\n", name + 8, value);
}

static err_t read_text(const char *text, struct fault *fault)
{
	AUTO_FREE char *copy = xstrdup(text);

	*got = '\0';
	return ini_read(copy, set, NULL, fault);
}

#define SNAKEOIL                                                                                   \
	"NYMEA_TLS_CERT=/etc/ssl/certs/ssl-cert-snakeoil.pem\n"                                    \
	"NYMEA_TLS_KEY=/etc/ssl/private/ssl-cert-snakeoil.key\n"
#define DOORS_OF_TUNNELS "NYMEA_TUNNEL_WS=127.0.0.1:2212\nNYMEA_TUNNEL_TCP=127.0.0.1:2213\n"
#define DOORS		 "NYMEA_PAIR_WS=127.0.0.1:1212\nNYMEA_PAIR_TCP=127.0.0.1:1213\n" DOORS_OF_TUNNELS

Test(ini, every_key)
{
	struct fault fault = { "", "" };

	cr_assert_eq(
		read_text("[ProxyServer]\nname=test-proxy\nwriteLogs=true\n"
			  "logFile=/var/log/x.log\nlogEngineEnabled=true\n"
			  "monitorSocket=/tmp/monitor.sock\njsonRpcTimeout=1\n"
			  "authenticationTimeout=2\ninactiveTimeout=3\naloneTimeout=4\n"
			  "[AWS]\nregion=eu-1\nauthorizerLambdaFunction=fn\n"
			  "awsCredentialsUrl=http://127.0.0.1/x\n\n"
			  "[SSL]\nenabled=false\ncertificate=/c.pem\ncertificateKey=/k.pem\n"
			  "certificateChain=/b.pem\n[WebSocketServer]\nhost=0.0.0.0\nport=443\n"
			  "[TcpServer]\nhost=::1\nport=80\n"
			  "[UnixSocketServer]\nunixSocketFileName=/run/a.socket\n"
			  "[WebSocketServerTunnelProxy]\nport=2222\n"
			  "[UnixSocketServerTunnelProxy]\nunixSocketFileName=/run/b.socket\n"
			  "[TcpServerTunnelProxy]\nhost=10.0.0.1\n",
			&fault),
		OK, "%s", fault.detail);
	cr_expect_str_eq(got,
		"NYMEA_NAME=test-proxy\nNYMEA_MONITOR_SOCKET=/tmp/monitor.sock\n"
		"NYMEA_JSON_RPC_TIMEOUT_MS=1\nNYMEA_AUTHENTICATION_TIMEOUT_MS=2\n"
		"NYMEA_INACTIVE_TIMEOUT_MS=3\nNYMEA_ALONE_TIMEOUT_MS=4\nNYMEA_AWS_REGION=eu-1\n"
		"NYMEA_AWS_FUNCTION=fn\nNYMEA_AWS_CREDENTIALS_URL=http://127.0.0.1/x\n"
		"NYMEA_TLS=false\nNYMEA_TLS_CERT=/c.pem\nNYMEA_TLS_KEY=/k.pem\nNYMEA_TLS_CHAIN=/"
		"b.pem\n"
		"NYMEA_PAIR_UNIX=/run/a.socket\nNYMEA_TUNNEL_UNIX=/run/b.socket\n"
		"NYMEA_PAIR_WS=0.0.0.0:443\nNYMEA_PAIR_TCP=[::1]:80\n"
		"NYMEA_TUNNEL_WS=127.0.0.1:2222\nNYMEA_TUNNEL_TCP=10.0.0.1:2213\n"
		"NYMEA_LOG_FILE=/var/log/x.log\nNYMEA_LOG_ENGINE=/var/log/nymea-remoteproxy\n"
		"NYMEA_AUTHENTICATOR=aws\n",
		"%s", got);
}

Test(ini, reads_as_QSettings)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", SNAKEOIL DOORS },
		{ "; a comment\r\n[SSL]\r\n", SNAKEOIL DOORS },
		{ "[ProxyServer]\n name = \"a; \\\"b\\\"\" ; rest\r\nwriteLogs=false\n",
			"NYMEA_NAME=a; \"b\"\n" SNAKEOIL DOORS },
		{ "[ProxyServer]\nname=a\\x41\\\\", "NYMEA_NAME=aA\\\n" SNAKEOIL DOORS },
		{ "[SSL]\nenabled=0\ncertificate=c\ncertificateKey=k\n",
			"NYMEA_TLS=false\nNYMEA_TLS_CERT=c\nNYMEA_TLS_KEY=k\n" DOORS },
		{ "[ProxyServer]\nproxyEnabled=true\n", SNAKEOIL DOORS },
		{ "[ProxyServer]\nproxyEnabled=false\n[UnixSocketServer]\nunixSocketFileName=x\n",
			SNAKEOIL DOORS_OF_TUNNELS },
		{ "[SSL]\nenabled=yes\ncertificate=c\ncertificateKey=k\n",
			"NYMEA_TLS=true\nNYMEA_TLS_CERT=c\nNYMEA_TLS_KEY=k\n" DOORS },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault fault = { "", "" };

		cr_expect_eq(read_text(rows[i].text, &fault), OK, "%s", fault.detail);
		cr_expect_str_eq(got, rows[i].want, "%s", got);
	}
}

Test(ini, names_what_is_wrong)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "[ProxyServer]\n\nnme=x", "line 3: unknown key ProxyServer/nme" },
		{ "name=x", "line 1: unknown key General/name" },
		{ "[SSL]\nenabled", "line 2: expected [section] or key=value" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault fault = { "", "" };

		cr_expect_eq(read_text(rows[i].text, &fault), ERR_INVALID_ARGUMENT);
		cr_expect_str_eq(fault.detail, rows[i].want);
	}
}
