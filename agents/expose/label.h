/*
 * label: one label of a DNS name, as people write it. Pure.
 */
#pragma once

#include <stdbool.h>

#define LABEL_SIZE 64 /* 63 bytes with a NUL */
#define LABEL_RULE "1 to 63 letters, digits and dashes, and no dash at either end"

/* Reads it in lower case and without blanks around it. False: it is none. */
bool label_read(const char *text, char label[LABEL_SIZE]);
