/*
 * ini: see ini.h. Comments begin with ';', a value may be quoted and have escapes in it, a key
 * before any section belongs to "General". Sections and keys that are not known are an error: they
 * would be ignored otherwise.
 */
#include "dataplane/nymea/ini.h"

#include "lib/mem.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 96

/* What a key is in our settings; `variable` NULL: accepted, and of no use here. */
static const struct row {
	const char *key;
	const char *variable;
} rows[] = {
	{ "ProxyServer/name", "LANYARD_NYMEA_NAME" },
	{ "ProxyServer/proxyEnabled", NULL }, /* see is_wanted */
	{ "ProxyServer/writeLogs", NULL },    /* see set_log */
	{ "ProxyServer/logFile", NULL },
	{ "ProxyServer/logEngineEnabled", NULL }, /* see set_log_engine */
	{ "ProxyServer/monitorSocket", "LANYARD_NYMEA_MONITOR_SOCKET" },
	{ "ProxyServer/jsonRpcTimeout", "LANYARD_NYMEA_JSON_RPC_TIMEOUT_MS" },
	{ "ProxyServer/authenticationTimeout", "LANYARD_NYMEA_AUTHENTICATION_TIMEOUT_MS" },
	{ "ProxyServer/inactiveTimeout", "LANYARD_NYMEA_INACTIVE_TIMEOUT_MS" },
	{ "ProxyServer/aloneTimeout", "LANYARD_NYMEA_ALONE_TIMEOUT_MS" },
	{ "AWS/region", "LANYARD_NYMEA_AWS_REGION" },
	{ "AWS/authorizerLambdaFunction", "LANYARD_NYMEA_AWS_FUNCTION" },
	{ "AWS/awsCredentialsUrl", "LANYARD_NYMEA_AWS_CREDENTIALS_URL" },
	{ "SSL/enabled", "LANYARD_NYMEA_TLS" },
	{ "SSL/certificate", "LANYARD_NYMEA_TLS_CERT" },
	{ "SSL/certificateKey", "LANYARD_NYMEA_TLS_KEY" },
	{ "SSL/certificateChain", "LANYARD_NYMEA_TLS_CHAIN" },
	{ "UnixSocketServer/unixSocketFileName", "LANYARD_NYMEA_PAIR_UNIX" },
	{ "UnixSocketServerTunnelProxy/unixSocketFileName", "LANYARD_NYMEA_TUNNEL_UNIX" },
	{ "WebSocketServer/host", NULL }, /* these: see set_doors */
	{ "WebSocketServer/port", NULL },
	{ "TcpServer/host", NULL },
	{ "TcpServer/port", NULL },
	{ "WebSocketServerTunnelProxy/host", NULL },
	{ "WebSocketServerTunnelProxy/port", NULL },
	{ "TcpServerTunnelProxy/host", NULL },
	{ "TcpServerTunnelProxy/port", NULL },
};

static const struct door {
	const char *section, *port, *variable;
} doors[] = {
	{ "WebSocketServer", "1212", "LANYARD_NYMEA_PAIR_WS" },
	{ "TcpServer", "1213", "LANYARD_NYMEA_PAIR_TCP" },
	{ "WebSocketServerTunnelProxy", "2212", "LANYARD_NYMEA_TUNNEL_WS" },
	{ "TcpServerTunnelProxy", "2213", "LANYARD_NYMEA_TUNNEL_TCP" },
};

struct reading {
	void (*set)(void *context, const char *name, const char *value);
	void *context;
	struct fault *fault;
	char *values[ARRAY_LEN(rows)]; /* NULL: the file has it not */
	unsigned line;
};

static char *trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static const char *value_of(const struct reading *reading, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].key, key) == 0)
			return reading->values[i];
	BUG("no key %s", key);
}

/* ---- lines ---- */

/* Unescapes in place: "\n", "\\", "\"", "\xHH"; quotes stand for nothing. */
static void unquote(char *text)
{
	char *to = text;

	for (char *at = text; *at != '\0'; at++) {
		if (*at == '"')
			continue;
		if (*at != '\\' || at[1] == '\0') {
			*to++ = *at;
			continue;
		}
		switch (*++at) {
		case 'n':
			*to++ = '\n';
			break;
		case 't':
			*to++ = '\t';
			break;
		case 'x':
			*to++ = (char)strtoul(at + 1, &at, 16);
			at--;
			break;
		default:
			*to++ = *at;
		}
	}
	*to = '\0';
}

/* Cuts the line where a comment begins, which can't be inside of quotes. */
static void cut_comment(char *line)
{
	bool quoted = false;

	for (; *line != '\0'; line++) {
		if (*line == '\\' && line[1] != '\0')
			line++;
		else if (*line == '"')
			quoted = !quoted;
		else if (*line == ';' && !quoted)
			break;
	}
	*line = '\0';
}

static err_t take_value(struct reading *reading, const char *section, char *line)
{
	char *equals = strchr(line, '=');
	char key[NAME_MAX_LEN];

	if (!equals)
		return fault_set(reading->fault, ERR_INVALID_ARGUMENT, "configuration",
			"line %u: expected [section] or key=value", reading->line);
	*equals = '\0';
	snprintf(key, sizeof(key), "%s/%s", section, trim(line));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].key, key) != 0)
			continue;
		reading->values[i] = trim(equals + 1);
		unquote(reading->values[i]);
		return OK;
	}
	return fault_set(reading->fault, ERR_INVALID_ARGUMENT, "configuration",
		"line %u: unknown key %s", reading->line, key);
}

static err_t take_line(struct reading *reading, char *line, char section[NAME_MAX_LEN])
{
	size_t len;

	cut_comment(line);
	line = trim(line);
	len = strlen(line);
	if (len == 0)
		return OK;
	if (line[0] == '[' && line[len - 1] == ']') {
		line[len - 1] = '\0';
		snprintf(section, NAME_MAX_LEN / 2, "%s", trim(line + 1));
		return OK;
	}
	return take_value(reading, section, line);
}

/* ---- what they mean ---- */

/* As QVariant has it: all but "", "0" and "false". */
static bool is_true(const char *value)
{
	return value && *value != '\0' && strcmp(value, "0") != 0 &&
	       strcasecmp(value, "false") != 0;
}

/* The doors of pairing can be left out. */
static bool is_wanted(const struct reading *reading, const char *variable)
{
	const char *enabled = value_of(reading, "ProxyServer/proxyEnabled");

	return !enabled || is_true(enabled) ||
	       strncmp(variable, "LANYARD_NYMEA_PAIR_", strlen("LANYARD_NYMEA_PAIR_")) != 0;
}

static void set_doors(const struct reading *reading)
{
	for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
		AUTO_FREE char *host_key = xasprintf("%s/host", doors[i].section);
		AUTO_FREE char *port_key = xasprintf("%s/port", doors[i].section);
		const char *host = value_of(reading, host_key);
		const char *port = value_of(reading, port_key);
		bool six = host && strchr(host, ':');
		AUTO_FREE char *endpoint = xasprintf("%s%s%s:%s", six ? "[" : "",
			host ? host : "127.0.0.1", six ? "]" : "", port ? port : doors[i].port);

		if (is_wanted(reading, doors[i].variable))
			reading->set(reading->context, doors[i].variable, endpoint);
	}
}

/* The original has a default for these, which is there on each Debian with ssl-cert. */
static void set_certificate(const struct reading *reading)
{
	if (!value_of(reading, "SSL/certificate"))
		reading->set(reading->context, "LANYARD_NYMEA_TLS_CERT",
			"/etc/ssl/certs/ssl-cert-snakeoil.pem");
	if (!value_of(reading, "SSL/certificateKey"))
		reading->set(reading->context, "LANYARD_NYMEA_TLS_KEY",
			"/etc/ssl/private/ssl-cert-snakeoil.key");
}

static void set_log(const struct reading *reading)
{
	const char *file = value_of(reading, "ProxyServer/logFile");

	if (is_true(value_of(reading, "ProxyServer/writeLogs")))
		reading->set(reading->context, "LANYARD_NYMEA_LOG_FILE",
			file ? file : "/var/log/nymea-remoteproxy.log");
}

/* Whose file names a Lambda function asks it; -m and our own setting count more. */
static void set_authenticator(const struct reading *reading)
{
	if (value_of(reading, "AWS/authorizerLambdaFunction"))
		reading->set(reading->context, "LANYARD_NYMEA_AUTHENTICATOR", "aws");
}

static void set_log_engine(const struct reading *reading)
{
	if (is_true(value_of(reading, "ProxyServer/logEngineEnabled")))
		reading->set(
			reading->context, "LANYARD_NYMEA_LOG_ENGINE", "/var/log/nymea-remoteproxy");
}

static void set_rows(const struct reading *reading)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = reading->values[i];

		if (!rows[i].variable || !value || !is_wanted(reading, rows[i].variable))
			continue;
		if (strcmp(rows[i].key, "SSL/enabled") == 0)
			value = is_true(value) ? "true" : "false";
		reading->set(reading->context, rows[i].variable, value);
	}
}

err_t ini_read(char *text, void (*set)(void *context, const char *name, const char *value),
	void *context, struct fault *fault)
{
	struct reading reading = { .set = set, .context = context, .fault = fault };
	char section[NAME_MAX_LEN] = "General";
	char *line;
	err_t err = OK;

	while (err == OK && (line = strsep(&text, "\n"))) {
		reading.line++;
		err = take_line(&reading, line, section);
	}
	if (err != OK)
		return err;
	set_rows(&reading);
	set_certificate(&reading);
	set_doors(&reading);
	set_log(&reading);
	set_log_engine(&reading);
	set_authenticator(&reading);
	return OK;
}

static void set_variable(void *context, const char *name, const char *value)
{
	(void)context;
	setenv(name, value, 0);
}

err_t ini_load(const char *path, struct fault *fault)
{
	AUTO_FREE char *text = xcalloc(1, INI_MAX + 1);
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return fault_set(
			fault, ERR_NOT_FOUND, "configuration", "can't read %.180s: %m", path);
	len = fread(text, 1, INI_MAX + 1, file);
	fclose(file);
	if (len > INI_MAX || memchr(text, '\0', len))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "configuration",
			"%.180s: expected text of at most %d bytes", path, INI_MAX);
	return ini_read(text, set_variable, NULL, fault);
}
