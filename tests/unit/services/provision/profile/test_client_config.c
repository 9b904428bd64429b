/* client_config: which remotes a client gets, in which order, and what is in its configuration. */
#include "services/provision/profile/client_config.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

static char *ports[] = { "tcp/443", "udp/1194", "udp/1195", "udp/53", "tcp/1194", "tcp/80" };

static char *write(struct arena *arena, struct client_config *config, bool two_factor)
{
	static Provision__Profile profile = PROVISION__PROFILE__INIT;

	profile.host = "h";
	profile.mode = "tap";
	profile.n_ports = ARRAY_LEN(ports);
	profile.ports = ports;
	profile.two_factor = two_factor;
	config->profile = &profile;
	config->trust = "CA\n";
	config->tls_crypt = "TC\n";
	return client_config_write(arena, config);
}

static const char *remotes_of(const char *text)
{
	return strstr(text, "remote h");
}

Test(client_config, all_remotes_usual_ones_first)
{
	AUTO_ARENA arena = arena_create();
	struct client_config config = { .remotes = CLIENT_REMOTES_ALL };

	cr_expect(eq(str, (char *)remotes_of(write(arena, &config, false)),
		"remote h 1194 udp\nremote h 1195 udp\nremote h 53 udp\n"
		"remote h 1194 tcp\nremote h 443 tcp\nremote h 80 tcp\n"));
}

Test(client_config, the_first_of_each_kind_and_tcp_first)
{
	AUTO_ARENA arena = arena_create();
	struct client_config config = { .remotes = CLIENT_REMOTES_FIRST, .prefer_tcp = true };

	cr_expect(eq(str, (char *)remotes_of(write(arena, &config, false)),
		"remote h 1194 tcp\nremote h 443 tcp\nremote h 1194 udp\nremote h 53 udp\n"));
}

Test(client_config, a_random_one_of_each_kind)
{
	AUTO_ARENA arena = arena_create();
	struct client_config config = { .remotes = CLIENT_REMOTES_RANDOM };
	bool seen[2] = { false, false };

	for (int i = 0; i < 200; i++) {
		const char *text = remotes_of(write(arena, &config, false));
		size_t n = 0;

		for (const char *at = text; *at != '\0'; at++)
			n += *at == '\n';
		cr_assert(eq(sz, n, 4));
		seen[strncmp(text, "remote h 1195 udp", 17) == 0] = true;
	}
	cr_expect(seen[0] && seen[1]);
}

Test(client_config, what_is_in_it)
{
	AUTO_ARENA arena = arena_create();
	struct client_config config = { .remotes = CLIENT_REMOTES_ALL };
	const char *text = write(arena, &config, false);

	cr_expect(eq(int, strncmp(text, "dev tap\nclient\nnobind\n", 22), 0));
	cr_expect(strstr(text, "ncp-ciphers AES-256-GCM\n") && strstr(text, "<ca>\nCA\n</ca>\n") &&
		  strstr(text, "<tls-crypt>\nTC\n</tls-crypt>\n"));
	cr_expect(not(
		strstr(text, "<cert>") || strstr(text, "<key>") || strstr(text, "auth-user-pass")));
	config.modern = true;
	config.certificate = "C\n";
	text = write(arena, &config, true);
	cr_expect(strstr(text, "tls-version-min 1.3\n") && strstr(text, "auth-user-pass\n") &&
		  strstr(text, "<cert>\nC\n</cert>\n"));
	cr_expect(not(strstr(text, "<key>") || strstr(text, "ncp-ciphers")));
}
