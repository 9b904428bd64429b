/*
 * certificate: whose certificates are a device's, and which not.
 */
#include "dataplane/admit/certificate.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#define TENANT "018f0000-0000-7000-8000-0000000000aa"
#define OTHER  "018f0000-0000-7000-8000-0000000000bb"
#define DEVICE "018F0000-0000-7000-8000-000000000001"

Test(certificate, is_of_a_device_of_the_tenant_whose_authority_signed_it)
{
	const struct {
		struct tls_peer peer;
		bool want;
	} rows[] = {
		{ { TENANT, "device", DEVICE, TENANT }, true },
		{ { TENANT, "device", DEVICE, OTHER }, false },
		{ { TENANT, "device", DEVICE, "" }, false },
		{ { TENANT, "user", DEVICE, TENANT }, false },
		{ { TENANT, "", DEVICE, TENANT }, false },
		{ { TENANT, "device", "", TENANT }, false },
		{ { TENANT, "device", DEVICE "0", TENANT }, false },
		{ { TENANT, "device", "node.example.org", TENANT }, false },
		{ { "Acme", "device", DEVICE, "Acme" }, false },
		{ { "", "device", DEVICE, "" }, false },
	};
	struct certificate certificate;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(
			certificate_read(&rows[i].peer, &certificate), rows[i].want, "row %zu", i);
	cr_assert(certificate_read(&rows[0].peer, &certificate));
	cr_assert_str_eq(certificate.tenant, TENANT);
	cr_assert_str_eq(certificate.device, "018f0000-0000-7000-8000-000000000001");
}
