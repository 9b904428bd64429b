/* trusted_list: any list, signed by who may. */
#include "services/auth/federation/trusted_list.h"

#include "lib/call.h"

#include <sodium.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static char *encode(struct arena *arena, const unsigned char *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);

	return sodium_bin2base64(
		arena_alloc(arena, size), size, bytes, len, sodium_base64_VARIANT_ORIGINAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned char seed[crypto_sign_SEEDBYTES] = "of who signs the list";
	unsigned char key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	unsigned char signature[crypto_sign_BYTES];
	Auth__FederationList request = AUTH__FEDERATION_LIST__INIT;
	Auth__Federation federation = AUTH__FEDERATION__INIT;
	struct call call;

	call_init(&call, NULL, "service:fuzz", 1000);
	crypto_sign_seed_keypair(key, secret, seed);
	crypto_sign_detached(signature, NULL, data, len, secret);
	request.public_key = encode(call.arena, key, sizeof(key));
	request.signature = encode(call.arena, signature, sizeof(signature));
	request.list.data = (uint8_t *)(uintptr_t)data;
	request.list.len = len;
	if (trusted_list_read(&call, &request, &federation) == OK)
		for (size_t i = 0; i < federation.n_instances; i++)
			if (*federation.instances[i]->host == '\0')
				BUG("a site without a host was taken");
	call_finish(&call);
	return 0;
}
