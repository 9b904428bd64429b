/*
 * certificate: which device a client's certificate is of. Pure.
 *
 * Certificates have the subject "O=TENANT, OU=device, CN=DEVICE" (proto/certificates.proto), and
 * TLS has verified that one of the authorities of the setting signed it. An authority speaks for
 * its own tenant only: its O has to be the same.
 */
#pragma once

#include "lib/tls.h"
#include "lib/uuid.h"

struct certificate {
	char tenant[UUID_SIZE];
	char device[UUID_SIZE]; /* lower case, as the tenant */
};

/* False: it is of no device. */
bool certificate_read(const struct tls_peer *peer, struct certificate *certificate);
