/*
 * device_secret: what a device shows to get its tokens. Runs in the thread of the call.
 */
#include "lib/check.h"
#include "services/auth/handlers.h"
#include "services/auth/secret.h"
#include "services/auth/store.h"

err_t issue_device_secret(
	struct call *call, const Auth__IssueDeviceSecretRequest *request, Auth__DeviceSecret *reply)
{
	struct secret secret;
	err_t err = check_uuid(call, "device", request->device);

	if (err != OK)
		return err;
	reply->secret = (char *)(uintptr_t)secret_create(
		call->arena, KEYRING_DEVICE_SECRET, NULL, request->device, &secret);
	return store_device_secret_set(call, request->device, secret.digest);
}
