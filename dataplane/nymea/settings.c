/* settings: see settings.h. */
#include "dataplane/nymea/settings.h"

#include "dataplane/nymea/guid.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static err_t check_doors(const struct nymea_settings *settings, struct fault *fault)
{
	const struct {
		const char *name, *value;
	} doors[] = {
		{ "LANYARD_NYMEA_PAIR_WS", settings->pair_ws },
		{ "LANYARD_NYMEA_PAIR_TCP", settings->pair_tcp },
		{ "LANYARD_NYMEA_TUNNEL_WS", settings->tunnel_ws },
		{ "LANYARD_NYMEA_TUNNEL_TCP", settings->tunnel_tcp },
	};
	bool mock = strcmp(settings->authenticator, "mock") == 0;

	for (size_t i = 0; i < ARRAY_LEN(doors); i++) {
		struct sockaddr_storage address;

		if (*doors[i].value == '\0')
			continue;
		if (endpoint_parse(doors[i].value, &address) != OK)
			return fault_set(fault, ERR_INVALID_ARGUMENT, doors[i].name,
				"expected ADDRESS:PORT, e.g. 127.0.0.1:1212");
		if (mock && !is_loopback(&address))
			return fault_set(fault, ERR_INVALID_ARGUMENT, doors[i].name,
				"expected a loopback address with authenticator mock, which lets "
				"anyone in");
	}
	return OK;
}

err_t nymea_settings_check(const struct nymea_settings *settings, struct fault *fault)
{
	static const char *const authenticators[] = { "lanyard", "http", "aws", "mock" };
	char tenant[UUID_SIZE];
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(authenticators); i++)
		known = known || strcmp(authenticators[i], settings->authenticator) == 0;
	if (!known)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_NYMEA_AUTHENTICATOR",
			"expected lanyard, http, aws or mock");
	if (strcmp(settings->authenticator, "http") == 0 && *settings->authorizer_url == '\0')
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_NYMEA_AUTHORIZER_URL",
			"expected a URL with authenticator http");
	if (strcmp(settings->tenant, NYMEA_NO_TENANT) != 0 && !guid_parse(settings->tenant, tenant))
		return fault_set(
			fault, ERR_INVALID_ARGUMENT, "LANYARD_NYMEA_TENANT", "expected a UUID");
	return check_doors(settings, fault);
}

err_t nymea_settings_log(const struct nymea_settings *settings)
{
	int fd;

	if (*settings->log_file == '\0')
		return OK;
	fd = open(settings->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0) {
		log_error("log_file_failed", "path=%s cause=\"%m\"", log_value(settings->log_file));
		return ERR_INVALID_ARGUMENT;
	}
	dup2(fd, STDERR_FILENO);
	close(fd);
	return OK;
}
