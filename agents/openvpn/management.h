/*
 * management: what an OpenVPN server says on its management socket, turned into events. Clients
 * have their word in it: what they sent as name and password stands in there, so every line is
 * hostile. Over memory only. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANAGEMENT_LINE_MAX    8192 /* a longer line is passed over */
#define MANAGEMENT_TEXT_SIZE   257
#define MANAGEMENT_SERIAL_SIZE 33

enum management_kind {
	MANAGEMENT_CONNECT,	/* a client, whose certificate is fine, asks to be let in */
	MANAGEMENT_REAUTH,	/* it has new keys */
	MANAGEMENT_ESTABLISHED, /* it has its settings */
	MANAGEMENT_DISCONNECT,	/* it is gone */
	MANAGEMENT_BYTES,	/* of a client, since it came */
	MANAGEMENT_UP,		/* the server listens, its interface is there */
	MANAGEMENT_FATAL,	/* the server ends; text says why */
	MANAGEMENT_ERROR,	/* it did not do what it was told to; text says why */
};

/* What an event tells beside that is empty. A text that is too long is empty, too. */
struct management_event {
	enum management_kind kind;
	uint64_t client, key;
	char serial[MANAGEMENT_SERIAL_SIZE]; /* of the certificate, lower-case hex */
	char username[MANAGEMENT_TEXT_SIZE], password[MANAGEMENT_TEXT_SIZE];
	char common_name[65];		    /* of the certificate */
	char session[MANAGEMENT_TEXT_SIZE]; /* of its auth-token; "": it has none */
	bool authenticated;		    /* the token is good, and was given to that session */
	char address[64], port[8];	    /* that the client came from */
	uint64_t bytes_in, bytes_out;
	const char *text;
};

struct management {
	char line[MANAGEMENT_LINE_MAX];
	size_t len;
	bool overlong;	 /* the line */
	bool collecting; /* lines of the event */
	struct management_event event;
};

void management_init(struct management *management);

/* Takes bytes from the socket; `happened` gets each event that they complete. */
void management_take(struct management *management, const char *bytes, size_t len,
	void (*happened)(void *context, const struct management_event *event), void *context);
