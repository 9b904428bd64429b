/* config: see config.h. */
#include "agents/openvpn/config.h"

#include "agents/openvpn/proven.h"

#include "lib/mem.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Whoever has a certificate comes with or without credentials, and as often as the portal lets in.
 * The fallback is for devices whose OpenVPN can't choose a cipher. */
static const char common[] = "mode server\n"
			     "tls-server\n"
			     "topology subnet\n"
			     "key " CONFIG_KEY "\n"
			     "cert " CONFIG_CERTIFICATE "\n"
			     "ca " CONFIG_TRUST "\n"
			     "dh none\n"
			     "tls-version-min 1.2\n"
			     "remote-cert-tls client\n"
			     "auth-user-pass-optional\n"
			     "duplicate-cn\n"
			     "keepalive 10 60\n"
			     "data-ciphers-fallback AES-256-CBC\n"
			     "management " CONFIG_SOCKET " unix\n"
			     "management-client\n"
			     "management-client-auth\n"
			     "management-hold\n"
			     "user nobody\n"
			     "group nogroup\n"
			     "persist-key\n"
			     "persist-tun\n"
			     "verb 1\n";

static FILE *open_text(char **text, size_t *len)
{
	FILE *out = open_memstream(text, len);

	if (out == NULL)
		BUG("no memory for a configuration");
	return out;
}

char *config_text(const struct vpn_start *start, const char *interface)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_text(&text, &len);

	fputs("# Written by lanyard openvpn at each start.\n", out);
	fputs(common, out);
	fprintf(out, "dev %s\ndev-type %s\nport %u\nmax-clients %u\ntun-mtu %u\n", interface,
		start->tun ? "tun" : "tap", start->port, start->max_clients, start->mtu);
	fputs(start->tcp ? "proto tcp-server\ntcp-nodelay\n"
			 : "proto udp\nexplicit-exit-notify 1\n",
		out);
	if (*start->tls_crypt != '\0')
		fputs("tls-crypt " CONFIG_TLS_CRYPT "\n", out);
	else if (*start->ta_key != '\0')
		fputs("tls-auth " CONFIG_TA_KEY " 0\n", out);
	if (start->two_factor)
		fprintf(out, "auth-gen-token %d external-auth\n", PROVEN_S);
	fputs(start->pushed, out);
	/* Stations of one network reach each other, also those behind this one port of the bridge.
	 */
	fputs(start->tun ? "ifconfig-noexec\nroute-noexec\npush \"topology subnet\"\n"
			 : "client-to-client\n",
		out);
	fclose(out);
	return text;
}

static void write_ipv4(FILE *out, const struct address *address)
{
	uint32_t mask = htonl(0xffffffffu << (32 - address->prefix_len));
	char bytes[INET_ADDRSTRLEN], netmask[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, address->bytes, bytes, sizeof(bytes));
	inet_ntop(AF_INET, &mask, netmask, sizeof(netmask));
	fprintf(out, "ifconfig-push %s %s\n", bytes, netmask);
}

static void write_ipv6(FILE *out, const struct address *address, const struct address *own)
{
	char bytes[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, address->bytes, bytes, sizeof(bytes));
	inet_ntop(AF_INET6, own->bytes, remote, sizeof(remote));
	fprintf(out, "ifconfig-ipv6-push %s/%u %s\n", bytes, address->prefix_len, remote);
}

char *config_client(const struct vpn_start *start, const struct vpn_decision *decision)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_text(&text, &len);

	if (decision->ipv4.family == AF_INET)
		write_ipv4(out, &decision->ipv4);
	if (decision->ipv6.family == AF_INET6 && start->ipv6.family == AF_INET6)
		write_ipv6(out, &decision->ipv6, &start->ipv6);
	fputs("END\n", out);
	fclose(out);
	return text;
}
