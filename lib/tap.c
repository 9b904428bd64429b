/* tap: see tap.h. */
#include "lib/tap.h"

#include "lib/segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define DEVICE "/dev/net/tun"

#ifndef TUN_F_USO4 /* newer than Debian's headers */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static_assert(
	sizeof(struct virtio_net_hdr) == TAP_HEADER_LEN, "the header that TAP_HEADER_LEN says");

static const uint8_t plain[TAP_HEADER_LEN]; /* of a frame that is whole as it is */

err_t tap_check_name(const char *name, struct fault *fault)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t len = strlen(name);

	if (len < 1 || len >= IFNAMSIZ || strspn(name, alphabet) != len || name[0] == '.')
		return fault_set(fault, ERR_INVALID_ARGUMENT, "interface",
			"%.40s is no interface name: expected 1 to 15 letters, digits, '_', '-', "
			"'.'",
			name);
	return OK;
}

static err_t fail_open(struct fault *fault)
{
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return fault_set(fault, ERR_UNAVAILABLE, "",
			"no " DEVICE
			" here: load the kernel module (modprobe tun), or give the container "
			"the device");
	return fault_set(
		fault, ERR_PERMISSION_DENIED, "", "can't open " DEVICE ": %m; run as root");
}

static err_t fail_attach(struct fault *fault, const char *name)
{
	if (errno == EPERM)
		return fault_set(fault, ERR_PERMISSION_DENIED, "",
			"can't make the interface %s: %m; run as root (CAP_NET_ADMIN)", name);
	if (errno == EBUSY || errno == EINVAL)
		return fault_set(fault, ERR_ALREADY_EXISTS, "interface",
			"there is an interface %s already: choose another --interface", name);
	return fault_set(fault, ERR_INTERNAL, "", "can't make the interface %s: %m", name);
}

/* Must somebody cut the frame, or make a checksum in it? */
static bool is_whole(const struct virtio_net_hdr *header)
{
	return header->gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	       (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0;
}

/* A virtio header of the size and byte order that lib/l2 has on the wire. */
static bool set_header(int fd)
{
	int len = TAP_HEADER_LEN, on = 1;

	return ioctl(fd, TUNSETVNETHDRSZ, &len) == 0 && ioctl(fd, TUNSETVNETLE, &on) == 0;
}

err_t tap_open(struct tap *tap, const char *name, bool attach, struct fault *fault)
{
	short flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	struct ifreq request = { .ifr_flags = (short)(attach ? flags : flags | IFF_TUN_EXCL) };
	int fd;

	if ((fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
		return fail_open(fault);
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0 || !set_header(fd)) {
		err_t err = fail_attach(fault, name);

		close(fd);
		return err;
	}
	*tap = (struct tap){ .fd = fd, .offload = true };
	memcpy(tap->name, request.ifr_name, IFNAMSIZ);
	if (ioctl(fd, SIOCGIFHWADDR, &request) == 0)
		memcpy(tap->mac, request.ifr_hwaddr.sa_data, sizeof(tap->mac));
	tap_set_offload(tap, false);
	return OK;
}

void tap_close(struct tap *tap)
{
	close(tap->fd);
	tap->fd = -1;
}

void tap_set_offload(struct tap *tap, bool on)
{
	/* From the most that a kernel may have to the least. */
	static const unsigned sets[] = {
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
		TUN_F_CSUM,
		0,
	};
	const size_t last = sizeof(sets) / sizeof(sets[0]) - 1;
	size_t i = on ? 0 : last;

	if (on == tap->offload)
		return;
	tap->offload = on;
	while (ioctl(tap->fd, TUNSETOFFLOAD, (unsigned long)sets[i]) < 0 && i < last)
		i++;
	tap->takes_datagrams = (sets[i] & TUN_F_USO4) != 0;
}

ssize_t tap_read(struct tap *tap, uint8_t header[TAP_HEADER_LEN], uint8_t *frame, size_t size)
{
	const struct iovec parts[] = { { header, TAP_HEADER_LEN }, { frame, size } };
	bool is_one_piece = header + TAP_HEADER_LEN == frame; /* which costs less to read */
	ssize_t n;

	/* Frames that were on their way when offload was switched off are not for those who can't
	 * read their headers. */
	do {
		n = is_one_piece ? read(tap->fd, header, TAP_HEADER_LEN + size)
				 : readv(tap->fd, parts, 2);
		if (n < 0) {
			tap->gone = errno == EBADFD || errno == ENODEV;
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		}
	} while (!tap->offload && !is_whole((const struct virtio_net_hdr *)header));
	n -= TAP_HEADER_LEN;
	tap->frames_out++;
	tap->bytes_out += (uint64_t)n;
	return n;
}

/* EIO: the interface is down; EINVAL: the kernel dislikes the frame; EAGAIN, ENOBUFS: it is full.
 */
static void write_parts(struct tap *tap, const struct iovec *parts, int n)
{
	size_t len = 0;

	for (int i = 1; i < n; i++)
		len += parts[i].iov_len;
	if (len < TAP_FRAME_MIN || writev(tap->fd, parts, n) != (ssize_t)(TAP_HEADER_LEN + len)) {
		tap->dropped++;
		return;
	}
	tap->frames_in++;
	tap->bytes_in += len;
}

static void write_cut(struct tap *tap, const struct offload *offload, uint8_t *frame, size_t len)
{
	struct segmenter segmenter;
	struct segment segment;

	segment_begin(&segmenter, frame, len, offload, len);
	while (segment_next(&segmenter, &segment)) {
		const struct iovec parts[] = { { (uint8_t *)plain, TAP_HEADER_LEN },
			{ segment.headers, segment.headers_len }, { segment.data, segment.len } };

		write_parts(tap, parts, 3);
	}
}

void tap_write(struct tap *tap, const uint8_t *header, const uint8_t *frame, size_t len)
{
	/* writev does not write to what it is given. */
	const struct iovec parts[] = { { (uint8_t *)(header != NULL ? header : plain),
					       TAP_HEADER_LEN },
		{ (uint8_t *)frame, len } };
	struct offload offload;

	if (header == NULL || tap->takes_datagrams || header[1] != OFFLOAD_UDP) {
		write_parts(tap, parts, 2);
		return;
	}
	offload_read(&offload, header);
	write_cut(tap, &offload, (uint8_t *)frame, len);
}
