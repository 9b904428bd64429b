/* manifests: the handlers of proto/manifest.proto, as provision.h. */
#pragma once

#include "lib/call.h"
#include "proto/manifest.pb-c.h"

err_t get_manifest(struct call *call, const Provision__ManifestRequest *request,
	Provision__SignedManifest *reply) MUST_CHECK;
err_t get_package_files(struct call *call, const Provision__ManifestRequest *request,
	Provision__PackageFiles *reply) MUST_CHECK;
err_t report_package(struct call *call, const Provision__PackageReport *request,
	Provision__Empty *reply) MUST_CHECK;
