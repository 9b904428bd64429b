/*
 * uuid: random identifiers (RFC 9562, version 4) for what is not a row of PostgreSQL. Any thread.
 */
#pragma once

#define UUID_SIZE 37 /* text with its NUL */

void uuid_new(char text[UUID_SIZE]);

/* Text of these bytes as a UUID of that version (8: made of something else). */
void uuid_of(const unsigned char bytes[16], unsigned version, char text[UUID_SIZE]);
