/*
 * uuid: random identifiers (RFC 9562, version 4) for what is not a row of PostgreSQL. Any thread.
 */
#pragma once

#define UUID_SIZE 37 /* text with its NUL */

void uuid_new(char text[UUID_SIZE]);
