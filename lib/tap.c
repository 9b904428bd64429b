/* tap: see tap.h. */
#include "lib/tap.h"

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
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
		TUN_F_CSUM,
		0,
	};
	size_t i = on ? 0 : 3;

	if (on == tap->offload)
		return;
	tap->offload = on;
	while (ioctl(tap->fd, TUNSETOFFLOAD, (unsigned long)sets[i]) < 0 && i < 3)
		i++;
}

ssize_t tap_read(struct tap *tap, uint8_t header[TAP_HEADER_LEN], uint8_t *frame, size_t size)
{
	const struct iovec parts[] = { { header, TAP_HEADER_LEN }, { frame, size } };
	ssize_t n;

	/* Frames that were on their way when offload was switched off are not for those who can't
	 * read their headers. */
	do {
		if ((n = readv(tap->fd, parts, 2)) < 0) {
			tap->gone = errno == EBADFD || errno == ENODEV;
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		}
	} while (!tap->offload && !is_whole((const struct virtio_net_hdr *)header));
	n -= TAP_HEADER_LEN;
	tap->frames_out++;
	tap->bytes_out += (uint64_t)n;
	return n;
}

void tap_write(struct tap *tap, const uint8_t *header, const uint8_t *frame, size_t len)
{
	/* writev does not write to what it is given. */
	const struct iovec parts[] = { { (uint8_t *)(header != NULL ? header : plain),
					       TAP_HEADER_LEN },
		{ (uint8_t *)frame, len } };

	/* EIO: the interface is down; EINVAL: the kernel dislikes the frame; EAGAIN, ENOBUFS: it is
	 * full. */
	if (len < TAP_FRAME_MIN || writev(tap->fd, parts, 2) != (ssize_t)(TAP_HEADER_LEN + len)) {
		tap->dropped++;
		return;
	}
	tap->frames_in++;
	tap->bytes_in += len;
}
