/*
 * certificate: see certificate.h.
 */
#include "dataplane/admit/certificate.h"

#include "dataplane/admit/credentials.h"

#include <string.h>

bool certificate_read(const struct tls_peer *peer, struct certificate *certificate)
{
	return strcmp(peer->unit, "device") == 0 &&
	       strcmp(peer->organisation, peer->issuer_organisation) == 0 &&
	       strlen(peer->organisation) == UUID_SIZE - 1 && strlen(peer->name) == UUID_SIZE - 1 &&
	       credentials_uuid(peer->organisation, certificate->tenant) &&
	       credentials_uuid(peer->name, certificate->device);
}
