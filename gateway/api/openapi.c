/* openapi: the description of the API, which the build puts into the binary. */
#include "gateway/api/tables.h"

#include "gateway/api/openapi.h"

/* .incbin makes the file's bytes an object of their own; LANYARD_OPENAPI is its path. */
__asm__(".section .rodata\n"
	".global openapi_text\n"
	"openapi_text:\n"
	"/* " LANYARD_OPENAPI_SHA256 " */\n"
	".incbin \"" LANYARD_OPENAPI "\"\n"
	".global openapi_end\n"
	"openapi_end:\n"
	".byte 0\n"
	".previous\n");

size_t openapi_len(void)
{
	return (size_t)(openapi_end - openapi_text);
}

static err_t get_openapi(struct api_request *request)
{
	api_send_text(request, "application/yaml", openapi_text, openapi_len());
	return OK;
}

/* clang-format off */
const struct route openapi_routes[] = {
	{ "GET", "/v1/openapi.yaml", .handler = get_openapi },
	{ .method = NULL },
};
/* clang-format on */
