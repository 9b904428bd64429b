/*
 * names_questions: asks a name server for A, AAAA and HTTPS of name0.box.test and those that
 * follow: names_questions PORT NAMES OUTSTANDING MS. Prints good answers a second and the 99th
 * percentile of their time in ms.
 */
#include "lib/mem.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 1000000

static unsigned n_names;

static size_t question(unsigned char packet[512], uint16_t id, unsigned n)
{
	static const unsigned char head[] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	static const char zone[] = "\3box\4test"; /* and the literal's NUL: the root */
	static const unsigned char types[] = { 1, 28, 65 };
	size_t len = sizeof(head);
	int label;

	memcpy(packet, head, sizeof(head));
	packet[0] = (unsigned char)(id >> 8);
	packet[1] = (unsigned char)id;
	label = sprintf((char *)packet + len + 1, "name%u", n % n_names);
	packet[len] = (unsigned char)label;
	len += (size_t)label + 1;
	memcpy(packet + len, zone, sizeof(zone));
	len += sizeof(zone);
	packet[len++] = 0;
	packet[len++] = types[n % sizeof(types)];
	packet[len++] = 0;
	packet[len++] = 1;
	return len;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000000 + now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static int dial(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 0, 200 * 1000 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (void *)&address, sizeof(address)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		BUG("no socket for questions");
	return fd;
}

/* Did a good answer with one record come? */
static bool is_answer(const unsigned char *packet, ssize_t len)
{
	return len > 12 && (packet[3] & 15) == 0 && packet[7] == 1;
}

/* Keeps so many questions on their way; one that is lost is given up when its place comes round. */
static void measure(int fd, unsigned outstanding, int64_t run_us)
{
	static float samples[SAMPLES_MAX];
	static int64_t sent_us[65536];
	unsigned char packet[512];
	unsigned next = 0;
	size_t n = 0;
	int64_t start_us = now_us();

	for (; next < outstanding; next++) {
		sent_us[next & 0xffff] = now_us();
		(void)!send(fd, packet, question(packet, (uint16_t)next, next), 0);
	}
	while (now_us() - start_us < run_us && n < SAMPLES_MAX) {
		ssize_t len = recv(fd, packet, sizeof(packet), 0);

		if (len >= 2 && is_answer(packet, len))
			samples[n++] =
				(float)(now_us() - sent_us[packet[0] << 8 | packet[1]]) / 1000;
		sent_us[next & 0xffff] = now_us();
		(void)!send(fd, packet, question(packet, (uint16_t)next, next), 0);
		next++;
	}
	qsort(samples, n, sizeof(*samples), compare);
	printf("%.0f %.3f\n", (double)n * 1000000 / (double)(now_us() - start_us),
		n > 0 ? (double)samples[n * 99 / 100] : -1.0);
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: names_questions PORT NAMES OUTSTANDING MS\n");
		return 2;
	}
	n_names = (unsigned)atoi(argv[2]);
	measure(dial(atoi(argv[1])), (unsigned)atoi(argv[3]), atoi(argv[4]) * (int64_t)1000);
	return EXIT_SUCCESS;
}
