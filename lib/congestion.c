/* congestion: see congestion.h. */
#include "lib/congestion.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BBR	      "bbr"
#define FAR_US	      2000  /* a longer way than any within a building */
#define LOSSES_MIN    3	    /* fewer may be chance */
#define SENT_PER_LOSS 10000 /* a way that loses less is a good one */
#define QUEUE_US      15000 /* waits for the processor are shorter, even where it has much to do */
#define QUEUED_LOOKS  3
#define BUSY_SEGMENTS 100 /* between two looks; of who sends less the round trip is an old one */

struct congestion {
	const char *name; /* NULL: auto */
	bool has_bbr;
};

static bool set(int fd, const char *name)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0;
}

/* Would the kernel let this process use it? */
static bool is_allowed(const char *name)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool allowed = fd >= 0 && set(fd, name);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return allowed;
}

err_t congestion_create(struct congestion **out, const char *setting, struct fault *fault)
{
	struct congestion *congestion;
	bool automatic = strcmp(setting, CONGESTION_AUTO) == 0;

	if (!automatic && !is_allowed(setting))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "congestion",
			"the kernel can't use the congestion control %s (%m): see "
			"/proc/sys/net/ipv4/tcp_allowed_congestion_control",
			setting);
	congestion = xcalloc(1, sizeof(*congestion));
	congestion->name = automatic ? NULL : setting;
	congestion->has_bbr = automatic && is_allowed(BBR);
	if (automatic && !congestion->has_bbr)
		log_info("no_bbr", "congestion=auto: ways with loss will be slow; modprobe tcp_bbr "
				   "and allow it in net.ipv4.tcp_allowed_congestion_control");
	*out = congestion;
	return OK;
}

void congestion_destroy(struct congestion *congestion)
{
	free(congestion);
}

void congestion_begin(const struct congestion *congestion, int fd)
{
	if (congestion->name != NULL)
		set(fd, congestion->name); /* not TCP: then there is nothing to control */
}

static bool is_long(const struct congestion_path *path)
{
	return path->min_rtt_us > FAR_US;
}

/* A good past excuses no loss of today. */
static bool is_lossy(const struct congestion_path *path, struct congestion_mark *mark)
{
	uint32_t n_sent = path->n_sent - mark->n_sent, n_lost = path->n_lost - mark->n_lost;

	if (n_lost >= LOSSES_MIN && n_lost > n_sent / SENT_PER_LOSS)
		return true;
	if (n_sent >= LOSSES_MIN * SENT_PER_LOSS) {
		mark->n_sent = path->n_sent;
		mark->n_lost = path->n_lost;
	}
	return false;
}

/* Has it filled a queue on the way, and keeps it filled? */
static bool is_queued(const struct congestion_path *path, struct congestion_mark *mark)
{
	if (path->n_sent - mark->n_seen >= BUSY_SEGMENTS)
		mark->n_queued =
			path->rtt_us > path->min_rtt_us + QUEUE_US ? mark->n_queued + 1 : 0;
	mark->n_seen = path->n_sent;
	return mark->n_queued >= QUEUED_LOOKS;
}

bool congestion_is_reason(const struct congestion_path *path, struct congestion_mark *mark)
{
	bool queued = is_queued(path, mark);

	return is_long(path) || is_lossy(path, mark) || queued;
}

/* Of what was sent again, what the peer says it had twice (DSACK) was not lost but late: such are
 * many where processors have much to do. */
static uint32_t count_lost(const struct tcp_info *info)
{
	return info->tcpi_total_retrans > info->tcpi_dsack_dups
		       ? info->tcpi_total_retrans - info->tcpi_dsack_dups
		       : 0;
}

bool congestion_look(struct congestion *congestion, int fd, struct congestion_mark *mark)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	struct congestion_path path;

	if (!congestion->has_bbr || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return true;
	path = (struct congestion_path){
		.rtt_us = info.tcpi_rtt,
		.min_rtt_us = info.tcpi_min_rtt == UINT32_MAX ? 0 : info.tcpi_min_rtt,
		.n_sent = info.tcpi_data_segs_out,
		.n_lost = count_lost(&info),
	};
	return congestion_is_reason(&path, mark) && set(fd, BBR);
}
