/* tls_wire: see tls_wire.h. */
#include "lib/tls_wire.h"

#include "lib/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define OUT_MIN 4096	     /* bytes that a wire's memory begins with */
#define IN_SIZE (256 * 1024) /* that one read of the socket may bring */

/* ---- memory ---- */

static int wire_read(BIO *bio, char *out, size_t size, size_t *n)
{
	struct tls_wire *wire = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (wire->in_len == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	*n = size < wire->in_len ? size : wire->in_len;
	memcpy(out, wire->in, *n);
	wire->in += *n;
	wire->in_len -= *n;
	return 1;
}

static int wire_write(BIO *bio, const char *data, size_t len, size_t *n)
{
	struct tls_wire *wire = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (len > wire->out_size - wire->out_len) {
		if (wire->out_size == 0)
			wire->out_size = OUT_MIN;
		while (len > wire->out_size - wire->out_len)
			wire->out_size *= 2;
		wire->out = xrealloc(wire->out, wire->out_size);
	}
	memcpy(wire->out + wire->out_len, data, len);
	wire->out_len += len;
	*n = len;
	return 1;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

void tls_wire_finish(struct tls_wire *wire)
{
	free(wire->out);
	*wire = (struct tls_wire){ 0 };
}

/* ---- a socket ---- */

static bool is_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Brings what the socket has. False: nothing now, or never again. */
static bool receive(BIO *bio, struct tls_socket *socket)
{
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (socket->drained) {
		socket->drained = false;
		BIO_set_retry_read(bio);
		return false;
	}
	if (socket->in == NULL)
		socket->in = xmalloc(IN_SIZE);
	n = recv(socket->fd, socket->in, IN_SIZE, 0);
	if (n < 0 && is_later())
		BIO_set_retry_read(bio);
	socket->ended = n == 0;
	if (n <= 0)
		return false;
	socket->drained = n < IN_SIZE;
	socket->wire.in = socket->in;
	socket->wire.in_len = (size_t)n;
	return true;
}

static int socket_read(BIO *bio, char *out, size_t size, size_t *n)
{
	struct tls_socket *socket = BIO_get_data(bio);

	if (socket->wire.in_len == 0 && !receive(bio, socket))
		return 0;
	return wire_read(bio, out, size, n);
}

bool tls_socket_send(struct tls_socket *socket)
{
	struct tls_wire *wire = &socket->wire;

	while (socket->sent < wire->out_len) {
		ssize_t n = send(socket->fd, wire->out + socket->sent, wire->out_len - socket->sent,
			MSG_NOSIGNAL);

		if (n < 0)
			return false;
		socket->sent += (size_t)n;
	}
	socket->sent = wire->out_len = 0;
	return true;
}

/* Waits with others for tls_socket_send, unless they are too many. */
static int socket_write(BIO *bio, const char *data, size_t len, size_t *n)
{
	struct tls_socket *socket = BIO_get_data(bio);
	struct tls_wire *wire = &socket->wire;

	BIO_clear_retry_flags(bio);
	if (wire->out_len - socket->sent + len > TLS_BATCH_MAX && !tls_socket_send(socket) &&
		(!is_later() || wire->out_len - socket->sent + len > TLS_BATCH_MAX)) {
		if (is_later())
			BIO_set_retry_write(bio);
		return 0;
	}
	if (socket->sent > 0) {
		wire->out_len -= socket->sent;
		memmove(wire->out, wire->out + socket->sent, wire->out_len);
		socket->sent = 0;
	}
	return wire_write(bio, data, len, n);
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
	struct tls_socket *socket = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	if (command == BIO_CTRL_EOF)
		return socket->ended;
	if (command != BIO_CTRL_FLUSH)
		return 0;
	BIO_clear_retry_flags(bio);
	if (tls_socket_send(socket))
		return 1;
	if (is_later())
		BIO_set_retry_write(bio);
	return -1;
}

void tls_socket_finish(struct tls_socket *socket)
{
	free(socket->in);
	socket->in = NULL;
	tls_wire_finish(&socket->wire);
}

/* ---- both ---- */

struct kind {
	const char *name;
	int (*read)(BIO *bio, char *out, size_t size, size_t *n);
	int (*write)(BIO *bio, const char *data, size_t len, size_t *n);
	long (*control)(BIO *bio, int command, long number, void *pointer);
	BIO_METHOD *method; /* NULL until it is needed */
};

static BIO *make(struct kind *kind, void *data)
{
	BIO *bio;

	if (kind->method == NULL &&
		((kind->method = BIO_meth_new(
			  BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, kind->name)) == NULL ||
			BIO_meth_set_read_ex(kind->method, kind->read) != 1 ||
			BIO_meth_set_write_ex(kind->method, kind->write) != 1 ||
			BIO_meth_set_ctrl(kind->method, kind->control) != 1))
		BUG("no BIO method");
	if ((bio = BIO_new(kind->method)) == NULL)
		BUG("no BIO");
	BIO_set_data(bio, data);
	BIO_set_init(bio, 1);
	return bio;
}

BIO *tls_wire_bio(struct tls_wire *wire)
{
	static struct kind kind = { "wire", wire_read, wire_write, wire_control, NULL };

	return make(&kind, wire);
}

BIO *tls_socket_bio(struct tls_socket *socket)
{
	static struct kind kind = { "socket", socket_read, socket_write, socket_control, NULL };

	return make(&kind, socket);
}
