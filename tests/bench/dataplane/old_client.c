/*
 * old_client: what vpn-ws-client is to a server and to its host, for tests and benchmarks: the
 * bytes of its handshake, one mask for a connection, an unmasked ping after 17 s of silence and
 * never a pong, 1500 bytes of each frame, one system call a frame, at most 8192 bytes a read of
 * which those behind the handshake's reply are lost, and an end when the TAP refuses a frame.
 * Shares no code with what it tests.
 *
 * usage: old_client [OPTION]... TAP ws[s]://[USER:PASSWORD@]HOST[:PORT][/PATH]
 *        --exec COMMAND, --bridge, --key FILE --crt FILE
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE  8192
#define FRAME_MAX  1500
#define SILENCE_S  17
#define THROTTLE_S 30

static struct url {
	bool secure;
	char *userinfo; /* NULL: none */
	char *host, *port, *path;
	char *authority; /* host, and the port if it was told */
} url;

static bool bridge;
static const char *command, *key_file, *certificate_file;
static int tap;
static uint8_t mac[6];

static int fd;
static SSL *tls; /* NULL: plain */
static uint8_t buffer[1 << 20];
static size_t used;

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The first '/' ends the authority, the first '@' the credentials; nothing is decoded. */
static void read_url(char *text)
{
	char *at, *colon, *slash;

	url.secure = strncmp(text, "wss://", 6) == 0;
	text += url.secure ? 6 : 5;
	url.path = "";
	if ((slash = strchr(text, '/')) != NULL) {
		*slash = '\0';
		url.path = slash + 1;
	}
	if ((at = strchr(text, '@')) != NULL) {
		*at = '\0';
		url.userinfo = text;
		text = at + 1;
	}
	url.authority = strdup(text);
	url.host = text;
	url.port = url.secure ? "443" : "80";
	if ((colon = strchr(text, ':')) != NULL) {
		*colon = '\0';
		url.port = colon + 1;
	}
}

static void open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if ((tap = open("/dev/net/tun", O_RDWR)) < 0 || ioctl(tap, TUNSETIFF, &request) < 0 ||
		ioctl(tap, SIOCGIFHWADDR, &request) < 0)
		die("tap");
	memcpy(mac, request.ifr_hwaddr.sa_data, sizeof(mac));
}

/* ---- the connection ---- */

static ssize_t receive(void *bytes, size_t size)
{
	return tls != NULL ? SSL_read(tls, bytes, (int)size) : read(fd, bytes, size);
}

static bool send_all(const void *bytes, size_t len)
{
	for (size_t sent = 0; sent < len;) {
		ssize_t n = tls != NULL ? SSL_write(tls, bytes, (int)len)
					: write(fd, (const uint8_t *)bytes + sent, len - sent);

		if (n <= 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}

static bool open_socket(void)
{
	const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	bool done;

	if (getaddrinfo(url.host, url.port, &hints, &found) != 0)
		return false;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	done = connect(fd, found->ai_addr, found->ai_addrlen) == 0;
	freeaddrinfo(found);
	return done;
}

/* Any certificate of the system's authorities will do, whatever its name is. */
static bool open_tls(void)
{
	static SSL_CTX *context;

	if (context == NULL) {
		context = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_default_verify_paths(context);
		if (key_file != NULL &&
			(SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) <= 0 ||
				SSL_CTX_use_certificate_chain_file(context, certificate_file) <= 0))
			die("certificate");
	}
	tls = SSL_new(context);
	SSL_set_fd(tls, fd);
	SSL_set_tlsext_host_name(tls, url.host);
	return SSL_connect(tls) == 1;
}

static int write_request(char *out, size_t size)
{
	uint8_t secret[10], key[32], basic[1024];
	int len;

	RAND_bytes(secret, sizeof(secret));
	EVP_EncodeBlock(key, secret, sizeof(secret));
	len = snprintf(out, size, "GET /%s HTTP/1.1\r\nHost: %s\r\n", url.path, url.authority);
	if (url.userinfo != NULL && strlen(url.userinfo) < 700) {
		EVP_EncodeBlock(basic, (const uint8_t *)url.userinfo, (int)strlen(url.userinfo));
		len += snprintf(
			out + len, size - (size_t)len, "Authorization: Basic %s\r\n", basic);
	}
	return len + snprintf(out + len, size - (size_t)len,
			     "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			     "Sec-WebSocket-Key: %s\r\n"
			     "X-vpn-ws-MAC: %02x:%02x:%02x:%02x:%02x:%02x\r\n%s\r\n",
			     key, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
			     bridge ? "X-vpn-ws-bridge: on\r\n" : "");
}

/* What comes with the end of the head is thrown away. */
static bool shake_hands(void)
{
	char head[READ_SIZE + 1];
	size_t len = 0;
	ssize_t n = write_request(head, sizeof(head));

	if (!send_all(head, (size_t)n))
		return false;
	do {
		if ((n = receive(head + len, READ_SIZE - len)) <= 0)
			return false;
		len += (size_t)n;
		head[len] = '\0';
	} while (strstr(head, "\r\n\r\n") == NULL);
	if (memcmp(head + 9, "101", 3) == 0)
		return true;
	fprintf(stderr, "the server answered %.3s\n", head + 9);
	return false;
}

/* ---- frames ---- */

/* The bytes of the first message with its header; 0: it is not whole. */
static size_t message_len(size_t *header)
{
	size_t len;

	if (used < 2)
		return 0;
	len = buffer[1] & 0x7f;
	*header = len == 126 ? 4 : len == 127 ? 10 : 2;
	if (used < *header)
		return 0;
	if (len >= 126) {
		len = 0;
		for (size_t i = 2; i < *header; i++)
			len = len << 8 | buffer[i];
	}
	return used < *header + len ? 0 : *header + len;
}

static bool from_server(void)
{
	ssize_t n = receive(buffer + used, READ_SIZE);
	size_t len, header;

	if (n <= 0)
		return false;
	used += (size_t)n;
	while ((len = message_len(&header)) > 0) {
		if ((buffer[0] & 0x0f) == 8)
			return false;
		if ((buffer[0] & 0x0f) <= 2 && len > header &&
			write(tap, buffer + header, len - header) < 0)
			die("tap");
		memmove(buffer, buffer + len, used - len);
		used -= len;
	}
	return used + READ_SIZE <= sizeof(buffer);
}

static bool from_tap(const uint8_t mask[4])
{
	uint8_t message[8 + FRAME_MAX], *at = message;
	ssize_t n = read(tap, message + 8, FRAME_MAX);

	if (n <= 0)
		die("tap");
	for (ssize_t i = 0; i < n; i++)
		message[8 + i] ^= mask[i % 4];
	memcpy(message + 4, mask, 4);
	if (n < 126) {
		at = message + 2;
		at[1] = (uint8_t)(0x80 | n);
	} else {
		at[1] = 0xfe;
		at[2] = (uint8_t)(n >> 8);
		at[3] = (uint8_t)n;
	}
	at[0] = 0x82;
	return send_all(at, (size_t)(message + 8 + n - at));
}

static void exchange(void)
{
	uint8_t mask[4];
	bool alive = true;

	RAND_bytes(mask, sizeof(mask));
	used = 0;
	while (alive) {
		struct timeval silence = { .tv_sec = SILENCE_S };
		fd_set ready;
		int n;

		FD_ZERO(&ready);
		FD_SET(fd, &ready);
		FD_SET(tap, &ready);
		n = select((fd > tap ? fd : tap) + 1, &ready, NULL, NULL, &silence);
		if (n < 0)
			die("select");
		if (n == 0)
			alive = send_all("\x89\x00", 2);
		if (n > 0 && FD_ISSET(fd, &ready))
			alive = from_server();
		if (n > 0 && alive && FD_ISSET(tap, &ready))
			alive = from_tap(mask);
	}
}

static void connect_once(void)
{
	tls = NULL;
	if (open_socket() && (!url.secure || open_tls()) && shake_hands()) {
		printf("connected\n");
		fflush(stdout);
		exchange();
	}
	SSL_free(tls);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "exec", required_argument, NULL, 'e' },
		{ "bridge", no_argument, NULL, 'b' }, { "key", required_argument, NULL, 'k' },
		{ "crt", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bridge = true;
		else if (option == 'e')
			command = optarg;
		else if (option == 'k')
			key_file = optarg;
		else if (option == 'c')
			certificate_file = optarg;
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: old_client [OPTION]... TAP URL\n");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	open_tap(argv[optind]);
	if (command != NULL && system(command) != 0)
		die("exec");
	read_url(argv[optind + 1]);
	for (unsigned throttle = 0;; throttle = throttle >= THROTTLE_S ? 1 : throttle + 1) {
		sleep(throttle);
		connect_once();
	}
}
