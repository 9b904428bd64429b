/* tls: see tls.h. */
#include "lib/tls_internal.h"

#include "lib/mem.h"
#include "lib/tls_wire.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif
#include <unistd.h>

struct tls {
	SSL *ssl;
	struct tls_socket socket; /* a client's */
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

/* Can the processor do a step of AES, and the multiplication of GCM, in one instruction? */
static bool has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
	return (getauxval(AT_HWCAP) & (HWCAP_AES | HWCAP_PMULL)) == (HWCAP_AES | HWCAP_PMULL);
#else
	return false;
#endif
}

/* The cheapest first: see docs/decisions/0010-cheapest-cipher.md. */
static const char *ciphersuites(void)
{
	return has_aes() ? "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_"
			   "SHA384"
			 : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_"
			   "SHA384";
}

SSL_CTX *tls_context_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_ciphersuites(ctx, ciphersuites()) != 1)
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

struct tls *tls_create(struct tls_trust *trust, int fd, const char *host)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));
	BIO *bio = tls_socket_bio(&tls->socket);

	tls->socket.fd = fd;
	tls->ssl = SSL_new(tls_trust_context(trust));
	if (tls->ssl == NULL || !expect_host(tls->ssl, host))
		BUG("no TLS connection: %s", tls_queue_says());
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

/* ---- a server ---- */

struct tls *tls_accept(struct tls_server *server, struct tls_wire *wire)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));
	BIO *bio = tls_wire_bio(wire);

	tls->socket.fd = -1;
	tls->ssl = SSL_new(tls_server_context(server));
	if (tls->ssl == NULL)
		BUG("no TLS connection: %s", tls_queue_says());
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
	tls_socket_finish(&tls->socket);
	if (tls->socket.fd >= 0)
		close(tls->socket.fd);
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

/* What somebody else left in the thread's queue of errors would pass for the operation's own. */
static void begin(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
	errno = 0;
}

enum tls_result tls_handshake(struct tls *tls)
{
	enum tls_result result;
	int returned;
	long verdict;

	begin();
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

	begin();
	if ((returned = SSL_read_ex(tls->ssl, buf, size, len)) == 1)
		return TLS_OK;
	return result_of(tls, returned);
}

enum tls_result tls_write(struct tls *tls, const uint8_t *buf, size_t size, size_t *len)
{
	int returned;

	begin();
	*len = 0;
	for (size_t n; *len < size; *len += n)
		if ((returned = SSL_write_ex(tls->ssl, buf + *len, size - *len, &n)) != 1)
			return result_of(tls, returned);
	return TLS_OK;
}

enum tls_result tls_flush(struct tls *tls)
{
	if (tls_socket_send(&tls->socket))
		return TLS_OK;
	if (errno == EAGAIN || errno == EINTR)
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
