/*
 * text: texts for the columns of a terminal. Names come from strangers: what is no printable
 * character stands as '?'.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TEXT_SHORT 16 /* bytes for a number or a duration with its NUL */

/* As much of `text` as fits into `columns` and `size`, filled up with blanks to `columns`. */
void text_fit(char *out, size_t size, const char *text, unsigned columns);

void text_bytes(char out[TEXT_SHORT], uint64_t bytes);	   /* "1.21 MB" */
void text_duration(char out[TEXT_SHORT], int64_t seconds); /* "01:02:03", "12 d 3 h" */

/* Seconds since the Epoch of "2026-03-01T12:00:00Z"; 0 for what is none. */
int64_t text_time(const char *text);
