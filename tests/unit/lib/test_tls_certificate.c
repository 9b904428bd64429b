/* tls_certificate: how long a certificate is good, and files that hold none. */
#include "lib/tls_certificate.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
			  "MIIBcjCCARegAwIBAgIUFp2gxlFAnASnD26UbFm+7WTEJzwwCgYIKoZIzj0EAwIw\n"
			  "DjEMMAoGA1UEAwwDYm94MB4XDTI2MTEyNTIyMzgzM1oXDTI3MDIyMzIyMzgzM1ow\n"
			  "DjEMMAoGA1UEAwwDYm94MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyTYBodhE\n"
			  "0rJASYHiiCH4hd9o46nK8o/Pi+7wt4wYqrtceH6wQjY4wE1v6IngnpVrIGiHClKv\n"
			  "g5H/GYPd3NalHaNTMFEwHQYDVR0OBBYEFKhQoSy7AbcMy7kSX3EtfMwPZZXMMB8G\n"
			  "A1UdIwQYMBaAFKhQoSy7AbcMy7kSX3EtfMwPZZXMMA8GA1UdEwEB/wQFMAMBAf8w\n"
			  "CgYIKoZIzj0EAwIDSQAwRgIhAM+XELkPmFtKQEyNaFlYdeI8RHZzB5zCxKPWvTbR\n"
			  "wWHYAiEA3to2xitgPDfTsjEWqcwAWMuS0i6VkenCKbN3hUg0xWc=\n"
			  "-----END CERTIFICATE-----\n";

static char path[] = "/tmp/test_tls_certificate.XXXXXX";

static void put(const char *text)
{
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void clean(void)
{
	unlink(path);
}

Test(tls_certificate, tells_its_life, .fini = clean)
{
	struct tls_life life;
	struct fault fault;

	put(pem);
	cr_assert_eq(tls_certificate_life(path, &life, &fault), OK);
	cr_expect_eq(life.from_s, 1795646313);
	cr_expect_eq(life.until_s, 1803422313);
}

Test(tls_certificate, a_file_without_one_is_damaged, .fini = clean)
{
	struct tls_life life;
	struct fault fault;

	put("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	cr_expect_eq(tls_certificate_life(path, &life, &fault), ERR_DATA_LOSS);
}

Test(tls_certificate, no_file_is_not_found)
{
	struct tls_life life;
	struct fault fault;

	cr_expect_eq(tls_certificate_life("/nowhere/cert.pem", &life, &fault), ERR_NOT_FOUND);
}
