/* qr: a text as a QR code in SVG. The only code that sees libqrencode. Any thread. */
#pragma once

#include "lib/mem.h"

char *qr_svg(struct arena *arena, const char *text);
