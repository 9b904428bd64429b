/*
 * oauth_input: an input of the fuzzer as an OAuth request: a line a field, in the order of the
 * message; what lines there are too few of stays "".
 */
#pragma once

#include "lib/call.h"
#include "lib/keyring.h"

#include <protobuf-c/protobuf-c.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TENANT "018f0000-0000-7000-8000-00000000000a"

/* Secrets are digested with a key; which one it is does not matter here. */
static inline void oauth_open_keyring(void)
{
	char path[] = "/tmp/lanyard-fuzz-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");

	if (file == NULL)
		BUG("no temporary file");
	for (int i = 0; i < 64; i++)
		fputc('7', file);
	fclose(file);
	if (keyring_open(path) != OK)
		BUG("the key was refused");
	unlink(path);
}

static inline void oauth_input(
	struct call *call, const uint8_t *data, size_t len, ProtobufCMessage *message)
{
	char *rest = arena_strndup(call->arena, (const char *)data, len);

	for (unsigned i = 0; rest != NULL && i < message->descriptor->n_fields; i++)
		*(char **)((char *)message + message->descriptor->fields[i].offset) =
			strsep(&rest, "\n");
}
