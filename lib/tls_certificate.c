/* tls_certificate: see tls_certificate.h. */
#include "lib/tls_certificate.h"

#include "lib/tls_internal.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <errno.h>
#include <stdio.h>
#include <time.h>

static bool read_time(const ASN1_TIME *time, int64_t *unix_s)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*unix_s = timegm(&tm);
	return true;
}

err_t tls_certificate_life(const char *path, struct tls_life *life, struct fault *fault)
{
	FILE *file = fopen(path, "re");
	X509 *certificate;
	bool fine;

	if (file == NULL)
		return fault_set(fault, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "",
			"can't read %.150s: %m", path);
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	fine = certificate != NULL && read_time(X509_get0_notBefore(certificate), &life->from_s) &&
	       read_time(X509_get0_notAfter(certificate), &life->until_s);
	X509_free(certificate);
	if (!fine)
		return fault_set(fault, ERR_DATA_LOSS, "", "there is no certificate in %.150s: %s",
			path, tls_queue_says());
	return OK;
}
