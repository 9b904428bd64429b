/*
 * What clients of a node with TLS see: certificates of their tenant's authority instead of a
 * secret, and handshakes that never end.
 */
#include "tests/component/node_fixture.h"

#include "proto/certificates.pb-c.h"

#include <openssl/ssl.h>

static pid_t tls_node;
static uint16_t tls_port;
static SSL_CTX *client_ctx;

static void write_file(const char *name, const char *const *texts)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture.folder, name);
	file = fopen(path, "we");
	cr_assert_not_null(file);
	for (; *texts; texts++)
		fputs(*texts, file);
	fclose(file);
}

/* The authorities of the tenant and their lists, as the node has them as a setting. */
static void write_authorities(void)
{
	Provision__Empty request = PROVISION__EMPTY__INIT;
	const Provision__Authorities *authorities;
	struct call call;

	authorities = ask(&call, tenant, &provision__certificates__descriptor, "GetAuthorities",
		&request.base);
	write_file("clients.pem", (const char *[]){ authorities->trust, authorities->issuers,
					  authorities->crls, NULL });
	call_finish(&call);
}

static void issue(const char *device, char *file, size_t size)
{
	Provision__IssueCertificateRequest request = PROVISION__ISSUE_CERTIFICATE_REQUEST__INIT;
	const Provision__Certificate *certificate;
	struct call call;
	char name[64];

	request.kind = (char *)"device";
	request.subject = (char *)(uintptr_t)device;
	certificate = ask(&call, tenant, &provision__certificates__descriptor, "IssueCertificate",
		&request.base);
	snprintf(name, sizeof(name), "%.36s.pem", device);
	write_file(name, (const char *[]){ certificate->certificate, certificate->chain,
				 certificate->private_key, NULL });
	snprintf(file, size, "%s/%s", fixture.folder, name);
	call_finish(&call);
}

static void setup(void)
{
	static char listen[64], cert[160], key[160], clients[160], command[512];
	const char *const settings[] = { listen, cert, key, clients, NULL };

	node_setup();
	write_authorities();
	snprintf(command, sizeof(command),
		"cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		"-subj /CN=node -keyout node.key -out node.pem 2>/dev/null",
		fixture.folder);
	cr_assert_eq(system(command), 0);
	tls_port = free_port();
	snprintf(listen, sizeof(listen), "LANYARD_LISTEN=127.0.0.1:%u", tls_port);
	snprintf(cert, sizeof(cert), "LANYARD_TLS_CERT=%s/node.pem", fixture.folder);
	snprintf(key, sizeof(key), "LANYARD_TLS_KEY=%s/node.key", fixture.folder);
	snprintf(clients, sizeof(clients), "LANYARD_TLS_CLIENT_CA=%s/clients.pem", fixture.folder);
	tls_node = service_start(&fixture, "dataplane", settings);
	client_ctx = SSL_CTX_new(TLS_client_method());
}

static void teardown(void)
{
	char command[256];

	SSL_CTX_free(client_ctx);
	service_stop(tls_node);
	snprintf(command, sizeof(command), "rm -f %s/*.pem %s/node.key", fixture.folder,
		fixture.folder);
	cr_assert_eq(system(command), 0);
	node_teardown();
}

TestSuite(dataplane_tls, .init = setup, .fini = teardown, .timeout = 120);

/* The status of an upgrade with TLS; 0 if the connection is refused. `file` "": no certificate. */
static int tls_status(const char *file, const char *path, const char *authorization)
{
	char request[8192], reply[512] = "";
	int len = client_request(request, sizeof(request), path, authorization);
	SSL *ssl = SSL_new(client_ctx);
	int fd = client_dial(tls_port), status = 0;

	if (*file) {
		cr_assert_eq(SSL_use_certificate_chain_file(ssl, file), 1);
		cr_assert_eq(SSL_use_PrivateKey_file(ssl, file, SSL_FILETYPE_PEM), 1);
	}
	SSL_set_fd(ssl, fd);
	if (fd >= 0 && SSL_connect(ssl) == 1 && SSL_write(ssl, request, len) == len &&
		SSL_read(ssl, reply, sizeof(reply) - 1) > 0)
		status = atoi(reply + strlen("HTTP/1.1 "));
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	return status;
}

static void revoke_certificate(const char *device)
{
	Provision__RevokeCertificateRequest request = PROVISION__REVOKE_CERTIFICATE_REQUEST__INIT;
	struct call call;

	request.subject = (char *)(uintptr_t)device;
	ask(&call, tenant, &provision__certificates__descriptor, "RevokeCertificate",
		&request.base);
	call_finish(&call);
}

Test(dataplane_tls, admits_a_device_by_its_certificate)
{
	char of_a[128], of_b[128];
	struct device a, b;

	device_enrol(&a, "a");
	device_enrol(&b, "b");
	issue(a.id, of_a, sizeof(of_a));
	issue(b.id, of_b, sizeof(of_b));
	AWAIT(tls_status(of_a, "/l2", "") == 101);
	cr_assert_eq(tls_status("", "/l2", ""), 401);
	cr_assert_eq(tls_status("", "/l2", a.bearer), 101);
	cr_assert_eq(tls_status(of_a, "/l2?network=nowhere", ""), 403);
	cr_assert_eq(tls_status(of_a, "/pair?nonce=n", ""), 403);
	device_block(&a);
	AWAIT(tls_status(of_a, "/l2", "") != 101);
	cr_assert_eq(tls_status(of_b, "/l2", ""), 101);

	/* With the list of now in the node's file, TLS itself refuses. */
	revoke_certificate(b.id);
	write_authorities();
	AWAIT(tls_status(of_b, "/l2", "") == 0);
}

/* Each of a few hundred sends one byte of its handshake and no more; others are served, and those
 * go when their time is over. */
Test(dataplane_tls, serves_others_while_handshakes_never_end)
{
	static int silent[300];
	struct device a;
	size_t gone = 0;

	device_enrol(&a, "a");
	AWAIT(tls_status("", "/l2", a.bearer) == 101);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		silent[i] = client_dial(tls_port);
		cr_assert_geq(silent[i], 0);
		cr_assert_eq(send(silent[i], "\x16", 1, MSG_NOSIGNAL), 1);
	}
	cr_assert_eq(tls_status("", "/l2", a.bearer), 101);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		char byte;

		gone += recv(silent[i], &byte, 1, 0) <= 0;
		close(silent[i]);
	}
	cr_assert_eq(gone, ARRAY_LEN(silent));
}
