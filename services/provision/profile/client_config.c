/* client_config: see client_config.h. What the server pushes (routes, name servers) is not in it.
 */
#include "services/provision/profile/client_config.h"

#include "services/provision/authority.h"
#include "services/provision/profile/server_key.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

#define OLD                                                                                        \
	"tls-version-min 1.2\n"                                                                    \
	"tls-cipher TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384\n"                                     \
	"ncp-ciphers AES-256-GCM\n"                                                                \
	"cipher AES-256-GCM\n"                                                                     \
	"auth none\n"
#define MODERN                                                                                     \
	"tls-version-min 1.3\n"                                                                    \
	"data-ciphers AES-256-GCM:CHACHA20-POLY1305\n"                                             \
	"reneg-sec 0\n"

/* Old apps send their own certificate without its issuer, and look it up here: the issuing
 * authorities are told of, too. */
err_t client_config_fill(struct call *call, struct client_config *config)
{
	err_t err = authority_trust(call, &config->trust);

	if (err != OK)
		return err;
	return server_key_open(call, config->profile->profile_id, &config->tls_crypt);
}

void client_config_set_keypair(struct arena *arena, const Provision__Certificate *certificate,
	struct client_config *config)
{
	config->certificate =
		arena_printf(arena, "%s%s", certificate->certificate, certificate->chain);
	config->key = *certificate->private_key != '\0' ? certificate->private_key : NULL;
}

/* Ports that are open where others are not. */
static bool is_special(const char *port)
{
	static const char *const special[] = { "udp/53", "udp/443", "tcp/80", "tcp/443" };

	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (strcmp(port, special[i]) == 0)
			return true;
	return false;
}

static size_t select_ports(
	const Provision__Profile *profile, const char *protocol, bool special, const char *ports[])
{
	size_t n = 0;

	for (size_t i = 0; i < profile->n_ports; i++)
		if (strncmp(profile->ports[i], protocol, strlen(protocol)) == 0 &&
			is_special(profile->ports[i]) == special)
			ports[n++] = profile->ports[i];
	return n;
}

/* The remotes of one kind. */
static char *remotes(
	struct arena *arena, const struct client_config *config, const char *protocol, bool special)
{
	const Provision__Profile *profile = config->profile;
	const char **ports = arena_alloc(arena, (profile->n_ports + 1) * sizeof(*ports));
	size_t n = select_ports(profile, protocol, special, ports), from = 0;
	char *text = arena_strdup(arena, "");

	if (config->remotes != CLIENT_REMOTES_ALL && n > 1) {
		if (config->remotes == CLIENT_REMOTES_RANDOM)
			from = randombytes_uniform((uint32_t)n);
		n = from + 1;
	}
	for (size_t i = from; i < n; i++)
		text = arena_printf(arena, "%sremote %s %s %s\n", text, profile->host,
			strchr(ports[i], '/') + 1, protocol);
	return text;
}

static char *of_protocol(
	struct arena *arena, const struct client_config *config, const char *protocol)
{
	return arena_printf(arena, "%s%s", remotes(arena, config, protocol, false),
		remotes(arena, config, protocol, true));
}

char *client_config_write(struct arena *arena, const struct client_config *config)
{
	const Provision__Profile *profile = config->profile;
	const char *keypair = "";

	if (config->certificate != NULL)
		keypair = arena_printf(arena, "<cert>\n%s</cert>\n", config->certificate);
	if (config->key != NULL)
		keypair = arena_printf(arena, "%s<key>\n%s</key>\n", keypair, config->key);
	return arena_printf(arena,
		"dev %s\n"
		"client\n"
		"nobind\n"
		"remote-cert-tls server\n"
		"verb 3\n"
		"server-poll-timeout 10\n"
		"%s"
		"<ca>\n%s</ca>\n"
		"%s"
		"<tls-crypt>\n%s</tls-crypt>\n"
		"%s%s%s",
		profile->mode, config->modern ? MODERN : OLD, config->trust, keypair,
		config->tls_crypt, profile->two_factor ? "auth-user-pass\n" : "",
		of_protocol(arena, config, config->prefer_tcp ? "tcp" : "udp"),
		of_protocol(arena, config, config->prefer_tcp ? "udp" : "tcp"));
}
