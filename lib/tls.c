/* tls: see tls.h. */
#include "lib/tls.h"

#include "lib/mem.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_AHEAD (256 * 1024) /* bytes of records that one read() may bring */

struct tls_trust {
	SSL_CTX *ctx;
};

struct tls {
	SSL *ssl;
	BIO *batch; /* of ssl: holds what tls_flush sends */
	int fd;
	struct fault why;
};

/* The oldest error of OpenSSL's queue, in words. */
static const char *queue_says(void)
{
	unsigned long code = ERR_get_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return reason != NULL ? reason : "no reason given";
}

/* ---- trust ---- */

static bool add_certificates(SSL_CTX *ctx, const char *pem)
{
	BIO *memory = BIO_new_mem_buf(pem, -1);
	X509 *certificate;
	size_t n = 0;

	while (memory != NULL &&
		(certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1;
		X509_free(certificate);
	}
	ERR_clear_error(); /* the end of the text is an error to it */
	BIO_free(memory);
	return n > 0;
}

err_t tls_trust_create(struct tls_trust **out, const char *ca_pem, struct fault *fault)
{
	static const unsigned char http[] = "\x08http/1.1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_alpn_protos(ctx, http, sizeof(http) - 1) != 0)
		BUG("no TLS client: %s", queue_says());
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Frames tell where they end, so an end of stream without TLS's own word is an end like
	 * any. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
	if (ca_pem != NULL ? !add_certificates(ctx, ca_pem)
			   : SSL_CTX_set_default_verify_paths(ctx) != 1) {
		SSL_CTX_free(ctx);
		return fault_set(fault, ERR_INVALID_ARGUMENT, "ca", "no certificates to trust: %s",
			ca_pem != NULL ? "none in the enrolment's --ca file"
				       : "install the package ca-certificates");
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->ctx = ctx;
	return OK;
}

void tls_trust_destroy(struct tls_trust *trust)
{
	if (trust == NULL)
		return;
	SSL_CTX_free(trust->ctx);
	free(trust);
}

/* ---- a connection ---- */

static bool is_address(const char *host)
{
	struct in6_addr ignored;

	return inet_pton(AF_INET, host, &ignored) == 1 || inet_pton(AF_INET6, host, &ignored) == 1;
}

static bool expect_host(SSL *ssl, const char *host)
{
	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* OpenSSL writes each record by itself; a buffering BIO below it makes one system call of them. */
static BIO *make_batch(int fd)
{
	BIO *socket = BIO_new_socket(fd, BIO_NOCLOSE);
	BIO *batch = BIO_new(BIO_f_buffer());

	if (socket == NULL || batch == NULL || BIO_set_write_buffer_size(batch, TLS_BATCH_MAX) != 1)
		BUG("no BIO: %s", queue_says());
	return BIO_push(batch, socket);
}

struct tls *tls_create(struct tls_trust *trust, int fd, const char *host)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));
	BIO *in = BIO_new_socket(fd, BIO_NOCLOSE);

	tls->fd = fd;
	tls->ssl = SSL_new(trust->ctx);
	tls->batch = make_batch(fd);
	if (tls->ssl == NULL || in == NULL || !expect_host(tls->ssl, host))
		BUG("no TLS connection: %s", queue_says());
	SSL_set_bio(tls->ssl, in, tls->batch);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

void tls_destroy(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	close(tls->fd);
	free(tls);
}

/* Why the last operation of OpenSSL didn't succeed; to be asked at once after it, with its errno.
 */
static enum tls_result result_of(struct tls *tls, int returned)
{
	int saved = errno;

	switch (SSL_get_error(tls->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		return TLS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	case SSL_ERROR_SYSCALL:
		fault_set(&tls->why, ERR_UNAVAILABLE, "", "the connection broke: %s",
			saved != 0 ? strerror(saved) : "end of stream");
		break;
	default:
		fault_set(&tls->why, ERR_UNAVAILABLE, "", "TLS failed: %s", queue_says());
	}
	ERR_clear_error();
	return TLS_FAILED;
}

enum tls_result tls_handshake(struct tls *tls)
{
	enum tls_result result;
	int returned;
	long verdict;

	errno = 0;
	if ((returned = SSL_do_handshake(tls->ssl)) == 1)
		return TLS_OK;
	result = result_of(tls, returned);
	verdict = SSL_get_verify_result(tls->ssl);
	if (result == TLS_FAILED && verdict != X509_V_OK)
		fault_set(&tls->why, ERR_UNAUTHENTICATED, "",
			"the node's certificate is not trusted (%s): check the clock, or enroll "
			"with "
			"--ca FILE",
			X509_verify_cert_error_string(verdict));
	return result;
}

enum tls_result tls_read(struct tls *tls, uint8_t *buf, size_t size, size_t *len)
{
	int returned;

	errno = 0;
	if ((returned = SSL_read_ex(tls->ssl, buf, size, len)) == 1)
		return TLS_OK;
	return result_of(tls, returned);
}

enum tls_result tls_write(struct tls *tls, const uint8_t *buf, size_t size, size_t *len)
{
	int returned;

	errno = 0;
	*len = 0;
	for (size_t n; *len < size; *len += n)
		if ((returned = SSL_write_ex(tls->ssl, buf + *len, size - *len, &n)) != 1)
			return result_of(tls, returned);
	return TLS_OK;
}

enum tls_result tls_flush(struct tls *tls)
{
	errno = 0;
	if (BIO_flush(tls->batch) == 1)
		return TLS_OK;
	if (BIO_should_retry(tls->batch))
		return TLS_WRITE;
	fault_set(&tls->why, ERR_UNAVAILABLE, "", "the connection broke: %m");
	return TLS_FAILED;
}

void tls_end(struct tls *tls)
{
	if (SSL_is_init_finished(tls->ssl) && SSL_shutdown(tls->ssl) < 0)
		ERR_clear_error(); /* a courtesy only */
}

const char *tls_why(const struct tls *tls)
{
	return tls->why.detail;
}
