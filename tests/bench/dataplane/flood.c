/*
 * flood: a UDP load for benchmarks: as many datagrams as the system takes, and how many arrive.
 *
 *   flood send ADDRESS PORT BYTES SECONDS   prints the datagrams sent
 *   flood receive PORT SECONDS              counts from the first datagram on, prints those a
 * second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define BATCH	  64
#define BYTES_MAX 2048

static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static uint8_t bytes[BATCH][BYTES_MAX];

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void prepare(size_t len)
{
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ bytes[i], len };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = 4 * 1024 * 1024;

	if (fd < 0) {
		perror("flood: socket");
		exit(EXIT_FAILURE);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static int flood_send(const char *address, int port, int len, double seconds)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = open_socket();
	double end = now_s() + seconds;
	unsigned long long n = 0;

	if (len < 1 || len > BYTES_MAX || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
		connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		fprintf(stderr, "flood: can't send %d bytes to %s\n", len, address);
		return EXIT_FAILURE;
	}
	prepare((size_t)len);
	while (now_s() < end) {
		int sent = sendmmsg(fd, messages, BATCH, 0);

		n += sent > 0 ? (unsigned)sent : 0;
	}
	printf("%llu\n", n);
	return EXIT_SUCCESS;
}

static int flood_receive(int port, double seconds)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct timeval patience = { .tv_sec = 10 };
	int fd = open_socket();
	double begin = 0, now = 0;
	unsigned long long n = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) != 0) {
		perror("flood: bind");
		return EXIT_FAILURE;
	}
	prepare(BYTES_MAX);
	do {
		int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

		now = now_s();
		if (got < 0 && errno == EAGAIN)
			break;
		if (begin == 0)
			begin = now;
		n += got > 0 ? (unsigned)got : 0;
	} while (now - begin < seconds);
	printf("%.0f\n", now > begin ? (double)n / (now - begin) : 0);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "send") == 0)
		return flood_send(argv[2], atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
	if (argc == 4 && strcmp(argv[1], "receive") == 0)
		return flood_receive(atoi(argv[2]), atof(argv[3]));
	fprintf(stderr,
		"usage: flood send ADDRESS PORT BYTES SECONDS | flood receive PORT SECONDS\n");
	return 2;
}
