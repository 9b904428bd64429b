/* copy: text into an array of its own, cut to the array's size. */
#pragma once

#include <stdio.h>

#define COPY(to, from) snprintf(to, sizeof(to), "%s", from)
