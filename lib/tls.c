/* tls: see tls.h. */
#include "lib/tls_internal.h"

#include "lib/mem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUT_MIN 4096 /* bytes that a wire's memory begins with */

struct tls {
	SSL *ssl;
	BIO *batch; /* of ssl: holds what tls_flush sends; NULL: a server */
	int fd;	    /* -1: a server */
	struct fault why;
};

const char *tls_queue_says(void)
{
	unsigned long code = ERR_get_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return reason != NULL ? reason : "no reason given";
}

void tls_start(void)
{
	EVP_MD *digest;

	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1 ||
		OPENSSL_init_ssl(0, NULL) != 1 ||
		(digest = EVP_MD_fetch(NULL, "SHA256", NULL)) == NULL)
		BUG("no OpenSSL: %s", tls_queue_says());
	EVP_MD_free(digest);
}

SSL_CTX *tls_context_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		BUG("no TLS: %s", tls_queue_says());
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* Frames tell where they end, so an end of stream without TLS's own word is an end like
	 * any. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	return ctx;
}

/* ---- a client ---- */

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
		BUG("no BIO: %s", tls_queue_says());
	return BIO_push(batch, socket);
}

struct tls *tls_create(struct tls_trust *trust, int fd, const char *host)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));
	BIO *in = BIO_new_socket(fd, BIO_NOCLOSE);

	tls->fd = fd;
	tls->ssl = SSL_new(tls_trust_context(trust));
	tls->batch = make_batch(fd);
	if (tls->ssl == NULL || in == NULL || !expect_host(tls->ssl, host))
		BUG("no TLS connection: %s", tls_queue_says());
	SSL_set_bio(tls->ssl, in, tls->batch);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

/* ---- a server ---- */

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

static const BIO_METHOD *wire_method(void)
{
	static BIO_METHOD *method;

	if (method != NULL)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
	if (method == NULL || BIO_meth_set_read_ex(method, wire_read) != 1 ||
		BIO_meth_set_write_ex(method, wire_write) != 1 ||
		BIO_meth_set_ctrl(method, wire_control) != 1)
		BUG("no BIO: %s", tls_queue_says());
	return method;
}

void tls_wire_finish(struct tls_wire *wire)
{
	free(wire->out);
	*wire = (struct tls_wire){ 0 };
}

struct tls *tls_accept(struct tls_server *server, struct tls_wire *wire)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));
	BIO *bio = BIO_new(wire_method());

	tls->fd = -1;
	tls->ssl = SSL_new(tls_server_context(server));
	if (tls->ssl == NULL || bio == NULL)
		BUG("no TLS connection: %s", tls_queue_says());
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void tls_set_record_max(struct tls *tls, size_t len)
{
	if (SSL_set_max_send_fragment(tls->ssl, (long)len) != 1)
		BUG("records of %zu bytes", len);
}

const char *tls_asked_name(const struct tls *tls)
{
	return SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name);
}

static bool read_field(X509_NAME *name, int nid, char out[TLS_FIELD_MAX + 1])
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *text = NULL;
	int len;

	*out = '\0';
	if (at < 0)
		return true;
	if (X509_NAME_get_index_by_NID(name, nid, at) >= 0)
		return false;
	len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && len <= TLS_FIELD_MAX && memchr(text, '\0', (size_t)len) == NULL)
		snprintf(out, TLS_FIELD_MAX + 1, "%.*s", len, (const char *)text);
	OPENSSL_free(text);
	return *out != '\0';
}

bool tls_peer(const struct tls *tls, struct tls_peer *peer)
{
	X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
	X509_NAME *subject;

	if (certificate == NULL)
		return false;
	subject = X509_get_subject_name(certificate);
	return read_field(subject, NID_organizationName, peer->organisation) &&
	       read_field(subject, NID_organizationalUnitName, peer->unit) &&
	       read_field(subject, NID_commonName, peer->name) &&
	       read_field(X509_get_issuer_name(certificate), NID_organizationName,
		       peer->issuer_organisation);
}

bool tls_peer_subject(const struct tls *tls, char *out, size_t size)
{
	X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
	BIO *text = BIO_new(BIO_s_mem());
	char *bytes;
	long len = 0;

	if (certificate != NULL && text != NULL &&
		X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >=
			0)
		len = BIO_get_mem_data(text, &bytes);
	if (len > 0 && (size_t)len < size)
		snprintf(out, size, "%.*s", (int)len, bytes);
	BIO_free(text);
	return len > 0 && (size_t)len < size;
}

/* ---- both ---- */

void tls_destroy(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	if (tls->fd >= 0)
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
		fault_set(&tls->why, ERR_UNAVAILABLE, "", "TLS failed: %s", tls_queue_says());
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
