/* qr: see qr.h. Each dark module is a square in one path; four light ones are left around it all.
 */
#include "lib/qr.h"

#include <qrencode.h>

#include <stdio.h>

#define QUIET	   4
#define SQUARE_MAX 24 /* bytes of "M000 000h1v1h-1z" */

static char *path(struct arena *arena, const QRcode *code)
{
	size_t n = (size_t)code->width * (size_t)code->width;
	char *text = arena_alloc(arena, n * SQUARE_MAX + 1), *end = text;

	*end = '\0';
	for (size_t i = 0; i < n; i++)
		if ((code->data[i] & 1) != 0)
			end += snprintf(end, SQUARE_MAX, "M%d %dh1v1h-1z",
				(int)i % code->width + QUIET, (int)i / code->width + QUIET);
	return text;
}

char *qr_svg(struct arena *arena, const char *text)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	char *svg;

	if (code == NULL)
		BUG("no QR code can hold this");
	svg = arena_printf(arena,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">"
		"<path fill=\"#fff\" d=\"M0 0h%dv%dh-%dz\"/><path d=\"%s\"/></svg>",
		code->width + 2 * QUIET, code->width + 2 * QUIET, code->width + 2 * QUIET,
		code->width + 2 * QUIET, code->width + 2 * QUIET, path(arena, code));
	QRcode_free(code);
	return svg;
}
