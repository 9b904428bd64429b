/*
 * tls_server: one SSL_CTX for each identity. They are made anew when files change; connections keep
 * those that they began with, counted by OpenSSL itself.
 */
#include "lib/tls_internal.h"
#include "lib/tls_token.h"

#include "lib/mem.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>
#include <sys/stat.h>

struct tls_server {
	struct tls_server_options options;
	SSL_CTX *contexts[TLS_IDENTITIES_MAX];
	uint64_t seen; /* digest of the files' state when they were last looked at */
};

/* ---- reading the files ---- */

static void mix(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x100000001b3; /* FNV-1a, by words */
}

static void mix_file(uint64_t *digest, const char *path)
{
	struct stat now = { 0 };

	if (stat(path, &now) != 0)
		mix(digest, 1);
	mix(digest, now.st_ino);
	mix(digest, (uint64_t)now.st_size);
	mix(digest, (uint64_t)now.st_mtim.tv_sec);
	mix(digest, (uint64_t)now.st_mtim.tv_nsec);
}

static uint64_t look(const struct tls_server_options *options)
{
	uint64_t digest = 0xcbf29ce484222325;

	for (size_t i = 0; i < options->n_identities; i++) {
		mix_file(&digest, options->identities[i].cert);
		if (options->identities[i].chain != NULL)
			mix_file(&digest, options->identities[i].chain);
		mix_file(&digest, options->identities[i].key);
	}
	if (options->clients != TLS_CLIENTS_ANY)
		mix_file(&digest, options->client_ca);
	return digest;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *offered, unsigned offered_len, void *arg)
{
	static const unsigned char http[] = "\x08http/1.1\x08http/1.0";

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len, http, sizeof(http) - 1,
		    offered, offered_len) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int choose_identity(SSL *ssl, int *alert, void *arg)
{
	const struct tls_server *server = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	for (size_t i = 0; name != NULL && i < server->options.n_identities; i++) {
		X509 *certificate = SSL_CTX_get0_certificate(server->contexts[i]);

		if (X509_check_host(certificate, name, 0, 0, NULL) == 1) {
			SSL_set_SSL_CTX(ssl, server->contexts[i]);
			break;
		}
	}
	return SSL_TLSEXT_ERR_OK;
}

/* With one list at least, no certificate is good whose issuer has none. */
static void check_lists(SSL_CTX *ctx)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++)
		if (X509_OBJECT_get_type(sk_X509_OBJECT_value(objects, i)) == X509_LU_CRL)
			X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
}

static err_t load_clients_ca(
	SSL_CTX *ctx, const struct tls_server_options *options, struct fault *fault)
{
	STACK_OF(X509_NAME) * names;
	int mode = SSL_VERIFY_PEER;

	if (options->clients == TLS_CLIENTS_ANY)
		return OK;
	names = SSL_load_client_CA_file(options->client_ca);
	if (names == NULL || SSL_CTX_load_verify_file(ctx, options->client_ca) != 1) {
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		return fault_set(fault, ERR_INVALID_ARGUMENT, "client_ca",
			"no certificates to verify clients with in %s: %s", options->client_ca,
			tls_queue_says());
	}
	SSL_CTX_set_client_CA_list(ctx, names);
	check_lists(ctx);
	if (options->clients == TLS_CLIENTS_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, mode, NULL);
	return OK;
}

/* Adds the certificates of the file; how many there are. */
static size_t add_chain(SSL_CTX *ctx, const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	size_t n = 0;

	for (X509 *one; bio != NULL && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++)
		if (SSL_CTX_add0_chain_cert(ctx, one) != 1)
			BUG("a certificate that can't be added to a chain");
	BIO_free(bio);
	return n;
}

static err_t load_key(SSL_CTX *ctx, const struct tls_identity *identity, struct fault *fault)
{
	EVP_PKEY *key;
	bool good;

	if (!tls_token_is(identity->key)) {
		good = SSL_CTX_use_PrivateKey_file(ctx, identity->key, SSL_FILETYPE_PEM) == 1;
	} else {
		if ((key = tls_token_key(identity->key, fault)) == NULL)
			return ERR_INVALID_ARGUMENT;
		good = SSL_CTX_use_PrivateKey(ctx, key) == 1;
		EVP_PKEY_free(key);
	}
	if (good)
		return OK;
	return fault_set(fault, ERR_INVALID_ARGUMENT, "key",
		"no private key of the certificate %s can be read from %s: %s", identity->cert,
		identity->key, tls_queue_says());
}

static err_t load_identity(SSL_CTX *ctx, const struct tls_identity *identity, struct fault *fault)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, identity->cert) != 1)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "cert",
			"no certificate can be read from %s: %s", identity->cert, tls_queue_says());
	if (identity->chain != NULL && add_chain(ctx, identity->chain) == 0)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "chain",
			"no certificate can be read from %s: %s", identity->chain,
			tls_queue_says());
	ERR_clear_error(); /* the end of the chain's file is one */
	return load_key(ctx, identity, fault);
}

static SSL_CTX *make_context(
	struct tls_server *server, const struct tls_identity *identity, struct fault *fault)
{
	static const unsigned char id[] = "lanyard";
	SSL_CTX *ctx = tls_context_new(TLS_server_method());

	/* Resumption by tickets alone: nothing of it is kept here. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	/* A client that puts ChaCha20 first has no instructions for AES. */
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose_identity);
	SSL_CTX_set_tlsext_servername_arg(ctx, server);
	if (load_identity(ctx, identity, fault) == OK &&
		load_clients_ca(ctx, &server->options, fault) == OK)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static void free_contexts(SSL_CTX **contexts)
{
	for (size_t i = 0; i < TLS_IDENTITIES_MAX; i++)
		SSL_CTX_free(contexts[i]); /* NULL is fine */
}

/* Puts contexts of what the files hold now into the place of the old ones, if they are good. */
static err_t load(struct tls_server *server, struct fault *fault)
{
	SSL_CTX *contexts[TLS_IDENTITIES_MAX] = { NULL };

	server->seen = look(&server->options);
	for (size_t i = 0; i < server->options.n_identities; i++) {
		contexts[i] = make_context(server, &server->options.identities[i], fault);
		if (contexts[i] == NULL) {
			free_contexts(contexts);
			return ERR_INVALID_ARGUMENT;
		}
	}
	free_contexts(server->contexts);
	memcpy(server->contexts, contexts, sizeof(contexts));
	return OK;
}

/* ---- */

err_t tls_server_create(
	struct tls_server **out, const struct tls_server_options *options, struct fault *fault)
{
	struct tls_server *server = xcalloc(1, sizeof(*server));
	err_t err;

	if (options->n_identities == 0 || options->n_identities > TLS_IDENTITIES_MAX)
		BUG("%zu identities", options->n_identities);
	server->options = *options;
	if ((err = load(server, fault)) != OK) {
		free(server);
		return err;
	}
	*out = server;
	return OK;
}

void tls_server_destroy(struct tls_server *server)
{
	if (server == NULL)
		return;
	free_contexts(server->contexts);
	free(server);
}

err_t tls_server_refresh(struct tls_server *server, bool *changed, struct fault *fault)
{
	*changed = look(&server->options) != server->seen;
	return *changed ? load(server, fault) : OK;
}

SSL_CTX *tls_server_context(const struct tls_server *server)
{
	return server->contexts[0];
}
