/*
 * wire: a bad line for benchmarks: two TAP interfaces whose frames go to each other late, and some
 * never. Kernels without netem have nothing of the kind.
 *
 *   wire NAME NAME DELAY-MS LOSS-PERCENT
 *
 * Both interfaces are made in the network namespace it runs in; the caller moves them. Runs until
 * it is killed. Loss is random and independent, in both directions, by a fixed seed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX	2048
#define LINE_MAX_FRAMES 16384 /* more than a second's worth is lost like on any line */

struct late_frame {
	int64_t due_ns;
	uint32_t len;
	uint8_t bytes[FRAME_MAX];
};

/* One direction: a ring of frames on their way. */
struct line {
	int from, to;
	struct late_frame *frames;
	size_t first, n;
};

static int64_t delay_ns;
static uint32_t loss; /* of 2^32 */

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint32_t random_word(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static int open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) {
		perror(name);
		exit(EXIT_FAILURE);
	}
	return fd;
}

static bool take_frame(struct line *line, int64_t now)
{
	struct late_frame *frame = &line->frames[(line->first + line->n) % LINE_MAX_FRAMES];
	uint8_t lost[FRAME_MAX];
	bool full = line->n == LINE_MAX_FRAMES;
	ssize_t len = read(line->from, full ? lost : frame->bytes, FRAME_MAX);

	if (len <= 0)
		return false;
	if (full || random_word() < loss)
		return true;
	frame->len = (uint32_t)len;
	frame->due_ns = now + delay_ns;
	line->n++;
	return true;
}

static void line_turn(struct line *line, int64_t now)
{
	for (int i = 0; i < 64 && take_frame(line, now); i++)
		;
	while (line->n > 0 && line->frames[line->first].due_ns <= now) {
		struct late_frame *frame = &line->frames[line->first];

		if (write(line->to, frame->bytes, frame->len) < 0 && errno == EAGAIN)
			break;
		line->first = (line->first + 1) % LINE_MAX_FRAMES;
		line->n--;
	}
}

static int64_t line_due(const struct line *line, int64_t soonest)
{
	if (line->n == 0 || line->frames[line->first].due_ns > soonest)
		return soonest;
	return line->frames[line->first].due_ns;
}

int main(int argc, char **argv)
{
	struct line lines[2];

	if (argc != 5) {
		fprintf(stderr, "usage: wire NAME NAME DELAY-MS LOSS-PERCENT\n");
		return 2;
	}
	delay_ns = (int64_t)(atof(argv[3]) * 1e6);
	loss = (uint32_t)(atof(argv[4]) / 100 * UINT32_MAX);
	lines[0] = (struct line){ .from = open_tap(argv[1]), .to = open_tap(argv[2]) };
	lines[1] = (struct line){ .from = lines[0].to, .to = lines[0].from };
	for (int i = 0; i < 2; i++)
		lines[i].frames = calloc(LINE_MAX_FRAMES, sizeof(*lines[i].frames));
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd ends[] = { { lines[0].from, POLLIN, 0 },
			{ lines[1].from, POLLIN, 0 } };
		int64_t now = now_ns(),
			due = line_due(&lines[1], line_due(&lines[0], now + 1000000000));
		struct timespec wait = { 0 };

		if (due > now)
			wait = (struct timespec){ (due - now) / 1000000000,
				(due - now) % 1000000000 };
		ppoll(ends, 2, &wait, NULL);
		now = now_ns();
		line_turn(&lines[0], now);
		line_turn(&lines[1], now);
	}
}
