/* manifests: a device asks what it should have, gets its files, and tells what became of them.
 * Which device, its credentials say. */
#include "gateway/api/tables.h"

#include "gateway/request.h"
#include "proto/manifest.pb-c.h"

static err_t ask(struct api_request *request, ProtobufCMessage *message)
{
	const ProtobufCMessage *reply;
	err_t err = request_read_own(request, message);

	if (err == OK && (err = api_call(request, message, &reply)) == OK)
		api_send(request, reply);
	return err;
}

static err_t get(struct api_request *request)
{
	Provision__ManifestRequest message = PROVISION__MANIFEST_REQUEST__INIT;

	return ask(request, &message.base);
}

static err_t report(struct api_request *request)
{
	Provision__PackageReport message = PROVISION__PACKAGE_REPORT__INIT;

	return ask(request, &message.base);
}

/* clang-format off */
#define SERVICE &provision__manifests__descriptor

const struct route manifests_routes[] = {
	ROUTE("GET", "/v1/manifest", "packages:own", "GetManifest", .handler = get),
	ROUTE("GET", "/v1/package-files", "packages:own", "GetPackageFiles", .handler = get),
	ROUTE("POST", "/v1/package-reports", "packages:own", "ReportPackage",
		.status = HTTP_NO_CONTENT, .flags = ROUTE_REPEATABLE, .handler = report),
	{ .method = NULL },
};
/* clang-format on */
