/* tap: see tap.h. */
#include "agents/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/net/tun"

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

err_t tap_open(struct tap *tap, const char *name, struct fault *fault)
{
	/* EXCL: never take over a persistent interface that another program made. */
	struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL) };
	int fd;

	if ((fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
		return fail_open(fault);
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		err_t err = fail_attach(fault, name);

		close(fd);
		return err;
	}
	*tap = (struct tap){ .fd = fd };
	memcpy(tap->name, request.ifr_name, IFNAMSIZ);
	return OK;
}

void tap_close(struct tap *tap)
{
	close(tap->fd);
	tap->fd = -1;
}

ssize_t tap_read(struct tap *tap, uint8_t *buf, size_t size)
{
	ssize_t n = read(tap->fd, buf, size);

	if (n < 0) {
		tap->gone = errno == EBADFD || errno == ENODEV;
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	tap->frames_out++;
	tap->bytes_out += (uint64_t)n;
	return n;
}

void tap_write(struct tap *tap, const uint8_t *frame, size_t len)
{
	/* EIO: the interface is down; EINVAL: the kernel dislikes the frame; EAGAIN, ENOBUFS: it is
	 * full. */
	if (len < TAP_FRAME_MIN || write(tap->fd, frame, len) != (ssize_t)len) {
		tap->dropped++;
		return;
	}
	tap->frames_in++;
	tap->bytes_in += len;
}
