/* compat: asks one face after the other. Runs in workers. */
#include "gateway/compat/compat.h"

bool compat_serve(struct api_request *request)
{
	return we500_serve(request) || (!request->api->portal_only && eduvpn_serve(request));
}
