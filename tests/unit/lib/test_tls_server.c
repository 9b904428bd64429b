/*
 * tls_server: which certificate is shown to whom, which clients are believed, and new files.
 */
#include "lib/tls.h"
#include "lib/tls_server.h"

#include "lib/mem.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/lanyard-tls-XXXXXX";
static struct tls_server *server;
static struct tls *accepted;
static struct tls_wire wire;
static SSL_CTX *client_ctx;
static SSL *client;
static struct fault fault;

static void run(const char *format, const char *name, const char *subject)
{
	AUTO_FREE char *command = xasprintf("cd %s && name=%s subject='%s' && { %s; } >log 2>&1",
		folder, name, subject, format);

	cr_assert_eq(system(command), 0, "%s", command);
}

#define SELF_SIGNED                                                                                \
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"$subject\" " \
	"-addext subjectAltName=DNS:$name.test -keyout $name.key -out $name.pem"
#define SIGNED_BY_CA                                                                               \
	"openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"$subject\" "       \
	"-keyout $name.key -out $name.csr && openssl x509 -req -in $name.csr -CA ca.pem "          \
	"-CAkey ca.key -CAcreateserial -out $name.pem"

static const char *in_folder(const char *name)
{
	static char paths[8][80];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void make_server(const char *first, const char *second, enum tls_clients clients)
{
	static struct tls_identity identities[2];
	static char files[4][80], ca[80];
	struct tls_server_options options = { .identities = identities,
		.n_identities = second ? 2 : 1,
		.clients = clients,
		.client_ca = ca };

	snprintf(ca, sizeof(ca), "%s", in_folder("ca.pem"));
	for (size_t i = 0; i < options.n_identities; i++) {
		snprintf(files[2 * i], sizeof(files[0]), "%s/%s.pem", folder, i ? second : first);
		snprintf(files[2 * i + 1], sizeof(files[0]), "%s/%s.key", folder,
			i ? second : first);
		identities[i] = (struct tls_identity){ files[2 * i], files[2 * i + 1], NULL };
	}
	cr_assert_eq(tls_server_create(&server, &options, &fault), OK, "%s", fault.detail);
}

static void hang_up(void)
{
	SSL_free(client);
	tls_destroy(accepted);
	client = NULL;
	accepted = NULL;
}

/* What the client sends goes to the server, and back, until one of them is done or fails. */
static enum tls_result shake_hands(const char *name, const char *cert)
{
	BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
	enum tls_result result = TLS_READ;

	hang_up();
	client = SSL_new(client_ctx);
	SSL_set_bio(client, to_client, to_server);
	if (name)
		SSL_set_tlsext_host_name(client, name);
	if (cert) {
		AUTO_FREE char *pem = xasprintf("%s/%s.pem", folder, cert);
		AUTO_FREE char *key = xasprintf("%s/%s.key", folder, cert);

		cr_assert_eq(SSL_use_certificate_file(client, pem, SSL_FILETYPE_PEM), 1);
		cr_assert_eq(SSL_use_PrivateKey_file(client, key, SSL_FILETYPE_PEM), 1);
	}
	accepted = tls_accept(server, &wire);
	for (int i = 0; i < 10 && result == TLS_READ; i++) {
		char *bytes;

		SSL_connect(client);
		wire.in_len = (size_t)BIO_get_mem_data(to_server, &bytes);
		wire.in = (uint8_t *)bytes;
		wire.out_len = 0;
		result = tls_handshake(accepted);
		(void)BIO_reset(to_server);
		if (wire.out_len > 0)
			BIO_write(to_client, wire.out, (int)wire.out_len);
	}
	SSL_connect(client);
	return result;
}

static void expect_shown(const char *want)
{
	X509 *shown = SSL_get0_peer_certificate(client);
	char name[64] = "";

	cr_assert_not_null(shown);
	X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof(name));
	cr_assert_str_eq(name, want);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(folder));
	client_ctx = SSL_CTX_new(TLS_client_method());
	run(SELF_SIGNED, "one", "/CN=one");
	run(SELF_SIGNED, "two", "/CN=two");
	run(SELF_SIGNED, "ca", "/O=Tenant/CN=ca");
	run(SIGNED_BY_CA, "device", "/O=Tenant/OU=device/CN=device-42");
}

static void teardown(void)
{
	AUTO_FREE char *command = xasprintf("rm -r %s", folder);

	hang_up();
	SSL_CTX_free(client_ctx);
	tls_server_destroy(server);
	tls_wire_finish(&wire);
	cr_assert_eq(system(command), 0);
}

TestSuite(tls_server, .init = setup, .fini = teardown, .timeout = 60);

Test(tls_server, shows_the_certificate_for_the_name_or_else_the_first)
{
	const struct {
		const char *name, *want;
	} rows[] = {
		{ "one.test", "one" },
		{ "two.test", "two" },
		{ "TWO.test", "two" },
		{ "three.test", "one" },
		{ NULL, "one" },
	};

	make_server("one", "two", TLS_CLIENTS_ANY);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(shake_hands(rows[i].name, NULL), TLS_OK);
		expect_shown(rows[i].want);
		if (rows[i].name)
			cr_assert_str_eq(tls_asked_name(accepted), rows[i].name);
		else
			cr_assert_null(tls_asked_name(accepted));
	}
}

Test(tls_server, refuses_what_is_older_than_tls_1_2)
{
	make_server("one", NULL, TLS_CLIENTS_ANY);
	SSL_CTX_set_min_proto_version(client_ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(client_ctx, TLS1_1_VERSION);
	SSL_CTX_set_cipher_list(client_ctx, "ALL@SECLEVEL=0");
	cr_assert_eq(shake_hands(NULL, NULL), TLS_FAILED);
	SSL_CTX_set_min_proto_version(client_ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(client_ctx, TLS1_2_VERSION);
	cr_assert_eq(shake_hands(NULL, NULL), TLS_OK);
}

Test(tls_server, takes_chacha20_of_who_wants_it_and_never_the_dearest_cipher_of_others)
{
	make_server("one", NULL, TLS_CLIENTS_ANY);
	cr_assert_eq(shake_hands(NULL, NULL), TLS_OK); /* OpenSSL offers 256 bits first */
	cr_assert_str_neq(SSL_get_cipher_name(client), "TLS_AES_256_GCM_SHA384");
	SSL_CTX_set_ciphersuites(client_ctx, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
	cr_assert_eq(shake_hands(NULL, NULL), TLS_OK);
	cr_assert_str_eq(SSL_get_cipher_name(client), "TLS_CHACHA20_POLY1305_SHA256");
}

Test(tls_server, believes_the_certificates_of_its_authority)
{
	struct tls_peer peer;
	char subject[TLS_SUBJECT_MAX];

	make_server("one", "two", TLS_CLIENTS_OPTIONAL);
	cr_assert_eq(shake_hands(NULL, NULL), TLS_OK);
	cr_assert_not(tls_peer(accepted, &peer));
	cr_assert_not(tls_peer_subject(accepted, subject, sizeof(subject)));
	cr_assert_eq(shake_hands("two.test", "device"), TLS_OK);
	expect_shown("two");
	cr_assert(tls_peer(accepted, &peer));
	cr_assert_str_eq(peer.organisation, "Tenant");
	cr_assert_str_eq(peer.unit, "device");
	cr_assert_str_eq(peer.name, "device-42");
	cr_assert_str_eq(peer.issuer_organisation, "Tenant");
	cr_assert(tls_peer_subject(accepted, subject, sizeof(subject)));
	cr_assert_str_eq(subject, "CN=device-42,OU=device,O=Tenant");
	cr_assert_not(tls_peer_subject(accepted, subject, 10));
	cr_assert_eq(shake_hands(NULL, "two"), TLS_FAILED);
}

Test(tls_server, refuses_clients_without_a_certificate_if_it_must)
{
	make_server("one", NULL, TLS_CLIENTS_REQUIRED);
	cr_assert_eq(shake_hands(NULL, NULL), TLS_FAILED);
	cr_assert_eq(shake_hands(NULL, "device"), TLS_OK);
}

Test(tls_server, heeds_the_revocation_list_beside_the_authority)
{
	make_server("one", NULL, TLS_CLIENTS_OPTIONAL);
	cr_assert_eq(shake_hands(NULL, "device"), TLS_OK);
	run("touch index && printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\n"
	    "default_md=sha256\\ndefault_crl_days=1\\n' >cnf && "
	    "openssl ca -config cnf -keyfile ca.key -cert ca.pem -revoke device.pem && "
	    "openssl ca -config cnf -keyfile ca.key -cert ca.pem -gencrl >>ca.pem",
		"ca", "");
	{
		bool changed;

		cr_assert_eq(tls_server_refresh(server, &changed, &fault), OK, "%s", fault.detail);
		cr_assert(changed);
	}
	cr_assert_eq(shake_hands(NULL, "device"), TLS_FAILED);
	run(SIGNED_BY_CA, "other", "/O=Tenant/OU=device/CN=other");
	cr_assert_eq(shake_hands(NULL, "other"), TLS_OK);
}

Test(tls_server, reads_its_files_again_when_they_change)
{
	bool changed;

	make_server("one", NULL, TLS_CLIENTS_ANY);
	cr_assert_eq(tls_server_refresh(server, &changed, &fault), OK);
	cr_assert_not(changed);
	run("cp two.pem one.pem", "one", ""); /* half of a change: the key is another's */
	cr_assert_eq(tls_server_refresh(server, &changed, &fault), ERR_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(fault.detail, "one.key"));
	cr_assert_eq(tls_server_refresh(server, &changed, &fault), OK);
	cr_assert_not(changed);
	cr_assert_eq(shake_hands(NULL, NULL), TLS_OK);
	expect_shown("one");
	run("cp two.key one.key", "one", "");
	cr_assert_eq(tls_server_refresh(server, &changed, &fault), OK);
	cr_assert(changed);
	cr_assert_eq(shake_hands(NULL, NULL), TLS_OK);
	expect_shown("two");
}

Test(tls_server, names_the_file_that_is_no_good)
{
	struct tls_identity identity = { in_folder("one.pem"), in_folder("missing.key"), NULL };
	struct tls_server_options options = { .identities = &identity, .n_identities = 1 };
	struct tls_server *none = NULL;

	cr_assert_eq(tls_server_create(&none, &options, &fault), ERR_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(fault.detail, "missing.key"));
	identity.cert = in_folder("one.key");
	cr_assert_eq(tls_server_create(&none, &options, &fault), ERR_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(fault.detail, "one.key"));
	identity = (struct tls_identity){ in_folder("one.pem"), in_folder("one.key"), NULL };
	options.clients = TLS_CLIENTS_OPTIONAL;
	options.client_ca = in_folder("one.key");
	cr_assert_eq(tls_server_create(&none, &options, &fault), ERR_INVALID_ARGUMENT);
	cr_assert_null(none);
	make_server("one", NULL, TLS_CLIENTS_ANY);
}
