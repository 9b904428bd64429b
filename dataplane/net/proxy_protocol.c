/*
 * proxy_protocol: version 2, as haproxy's doc/proxy-protocol.txt has it in section 2.2.
 */
#include "dataplane/net/proxy_protocol.h"

#include "dataplane/net/socket.h"
#include "lib/bytes.h"
#include "lib/mem.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define SIGNATURE_LEN 12
#define VERSION	      0x20
#define LOCAL	      0x0
#define PROXY	      0x1
#define STREAM	      0x1
#define UNSPEC	      0x00
#define TCP4	      0x11
#define TCP6	      0x21
#define UNIX_STREAM   0x31
#define UNIX_PATH_LEN 108

static const uint8_t signature[SIGNATURE_LEN] = "\r\n\r\n\0\r\nQUIT\n";

/* Bytes of the addresses of each family, by its number. */
static const size_t addresses_len[] = { 0, 12, 36, 2 * UNIX_PATH_LEN };

static void read_four(struct sockaddr_storage *out, const uint8_t *address, const uint8_t *port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	four->sin_family = AF_INET;
	memcpy(&four->sin_addr, address, 4);
	memcpy(&four->sin_port, port, 2);
}

static void read_six(struct sockaddr_storage *out, const uint8_t *address, const uint8_t *port)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	six->sin6_family = AF_INET6;
	memcpy(&six->sin6_addr, address, 16);
	memcpy(&six->sin6_port, port, 2);
}

static void read_ends(uint8_t kind, const uint8_t *at, struct proxy_ends *ends)
{
	switch (kind) {
	case TCP4:
		read_four(&ends->client, at, at + 8);
		read_four(&ends->server, at + 4, at + 10);
		break;
	case TCP6:
		read_six(&ends->client, at, at + 32);
		read_six(&ends->server, at + 16, at + 34);
		break;
	case UNIX_STREAM: /* whose paths say nothing here */
		ends->client.ss_family = ends->server.ss_family = AF_UNIX;
		break;
	default:
		break;
	}
}

/* Checks what has come of the first bytes. */
static const char *find_fault(const uint8_t *data, size_t len)
{
	if (memcmp(data, signature, len < SIGNATURE_LEN ? len : SIGNATURE_LEN) != 0)
		return "no header of PROXY protocol version 2";
	if (len < PROXY_HEADER_LEN)
		return NULL;
	if ((data[12] & 0xf0) != VERSION || (data[12] & 0x0f) > PROXY)
		return "a version or command of the PROXY protocol that is not known";
	if ((data[12] & 0x0f) == LOCAL)
		return NULL;
	if (data[13] != UNSPEC &&
		((data[13] & 0x0f) != STREAM || data[13] >> 4 >= ARRAY_LEN(addresses_len)))
		return "a PROXY header for something else than TCP";
	if (bytes_be16(data + 14) < addresses_len[data[13] >> 4])
		return "a PROXY header that is too short for its addresses";
	return NULL;
}

enum proxy_result proxy_read(
	const uint8_t *data, size_t len, size_t *taken, struct proxy_ends *ends, const char **why)
{
	size_t whole;

	if ((*why = find_fault(data, len)) != NULL)
		return PROXY_BROKEN;
	if (len < PROXY_HEADER_LEN)
		return PROXY_MORE;
	whole = PROXY_HEADER_LEN + bytes_be16(data + 14);
	if (len < whole)
		return PROXY_MORE;
	*taken = whole;
	memset(ends, 0, sizeof(*ends));
	if ((data[12] & 0x0f) == PROXY)
		read_ends(data[13], data + PROXY_HEADER_LEN, ends);
	return PROXY_READ;
}

/* ---- */

static void put_port(uint8_t *out, const struct sockaddr_storage *end)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)end;

	memcpy(out, &four->sin_port, 2); /* where IPv6 has it too */
}

static bool is_mapped(const uint8_t address[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, 0xff };

	return memcmp(address, prefix, sizeof(prefix)) == 0;
}

size_t proxy_write(const struct proxy_ends *ends, uint8_t out[PROXY_WRITE_MAX])
{
	uint8_t client[16], server[16], *at = out + PROXY_HEADER_LEN;
	bool told = socket_map(&ends->client, client) && socket_map(&ends->server, server);
	bool four = told && is_mapped(client) && is_mapped(server);
	size_t skip = four ? 12 : 0, each = 16 - skip;
	size_t len = told ? 2 * each + 4 : 0;

	memcpy(out, signature, SIGNATURE_LEN);
	out[12] = VERSION | PROXY;
	out[13] = !told ? UNSPEC : four ? TCP4 : TCP6;
	bytes_put_be16(out + 14, (uint16_t)len);
	if (told) {
		memcpy(at, client + skip, each);
		memcpy(at + each, server + skip, each);
		put_port(at + 2 * each, &ends->client);
		put_port(at + 2 * each + 2, &ends->server);
	}
	return PROXY_HEADER_LEN + len;
}
