/* carrier: see carrier.h. Plain bytes need no gathering: a batch comes in one piece, and what the
 * kernel does not take of it stays with the writer. */
#include "agents/carrier.h"

#include "lib/mem.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct carrier {
	struct tls *tls; /* NULL: plain */
	int fd;
	bool blocked; /* plain: the last write did not take all */
	struct fault why;
};

struct carrier *carrier_create(int fd, struct tls_trust *trust, const char *host)
{
	struct carrier *carrier = xcalloc(1, sizeof(*carrier));

	carrier->fd = fd;
	if (trust != NULL)
		carrier->tls = tls_create(trust, fd, host);
	return carrier;
}

void carrier_destroy(struct carrier *carrier)
{
	if (carrier == NULL)
		return;
	if (carrier->tls != NULL)
		tls_destroy(carrier->tls);
	else
		close(carrier->fd);
	free(carrier);
}

enum tls_result carrier_handshake(struct carrier *carrier)
{
	return carrier->tls != NULL ? tls_handshake(carrier->tls) : TLS_OK;
}

/* What the errno of a plain socket means. */
static enum tls_result result_of(struct carrier *carrier, enum tls_result again)
{
	if (errno == EAGAIN || errno == EINTR)
		return again;
	fault_set(&carrier->why, ERR_UNAVAILABLE, "", "the connection broke: %m");
	return TLS_FAILED;
}

enum tls_result carrier_read(struct carrier *carrier, uint8_t *buf, size_t size, size_t *len)
{
	ssize_t n;

	if (carrier->tls != NULL)
		return tls_read(carrier->tls, buf, size, len);
	if ((n = recv(carrier->fd, buf, size, 0)) < 0)
		return result_of(carrier, TLS_READ);
	*len = (size_t)n;
	return n > 0 ? TLS_OK : TLS_CLOSED;
}

enum tls_result carrier_write(struct carrier *carrier, const uint8_t *buf, size_t size, size_t *len)
{
	ssize_t n;

	if (carrier->tls != NULL)
		return tls_write(carrier->tls, buf, size, len);
	n = send(carrier->fd, buf, size, MSG_NOSIGNAL);
	*len = n > 0 ? (size_t)n : 0;
	carrier->blocked = *len < size;
	if (n < 0)
		return result_of(carrier, TLS_WRITE);
	return carrier->blocked ? TLS_WRITE : TLS_OK;
}

enum tls_result carrier_flush(struct carrier *carrier)
{
	if (carrier->tls != NULL)
		return tls_flush(carrier->tls);
	return carrier->blocked ? TLS_WRITE : TLS_OK;
}

enum tls_result carrier_drain(
	struct carrier *carrier, const uint8_t *out, size_t *begin, size_t *end)
{
	enum tls_result written, flushed;
	size_t n;

	do {
		written = TLS_OK;
		if (*begin < *end) {
			written = carrier_write(carrier, out + *begin, *end - *begin, &n);
			*begin += n;
		}
		if (*begin == *end)
			*begin = *end = 0;
		flushed = carrier_flush(carrier);
		if (written == TLS_FAILED || flushed == TLS_FAILED)
			return TLS_FAILED;
	} while (written == TLS_WRITE && flushed == TLS_OK);
	return written != TLS_OK ? written : flushed;
}

void carrier_end(struct carrier *carrier)
{
	if (carrier->tls != NULL)
		tls_end(carrier->tls);
}

const char *carrier_why(const struct carrier *carrier)
{
	return carrier->tls != NULL ? tls_why(carrier->tls) : carrier->why.detail;
}
