/*
 * reply: what the portal answers (Enrolment and Attachment of proto/provision.proto, and problem
 * documents) turned from JSON into checked structs; nothing behind it checks again. Over memory
 * only. Any thread.
 */
#pragma once

#include "agents/address.h"
#include "agents/url.h"

#include "lib/err.h"
#include "lib/token.h"

#include <stddef.h>
#include <stdint.h>

#define REPLY_MAX	  (64 * 1024) /* bytes of a reply's body */
#define REPLY_URLS_MAX	  8
#define REPLY_ID_SIZE	  37 /* UUID with its NUL */
#define REPLY_NAME_SIZE	  64
#define REPLY_SECRET_SIZE 128

struct enrolment {
	char tenant[REPLY_ID_SIZE];
	char device[REPLY_ID_SIZE];
	char name[REPLY_NAME_SIZE];
	char secret[REPLY_SECRET_SIZE];
	char state[REPLY_NAME_SIZE];
};

struct attachment {
	char authorization[sizeof("Bearer ") + TOKEN_MAX]; /* with the access token */
	uint32_t expires_in_s;
	char tenant[REPLY_ID_SIZE];
	char network[REPLY_NAME_SIZE]; /* its name */
	char name[REPLY_NAME_SIZE];    /* of the device */
	uint8_t mac[6];
	bool own_mac; /* the device's choice, which it tells the node; all zero in a reply */
	struct address ipv4;
	struct address ipv6;
	uint32_t mtu;
	struct url urls[REPLY_URLS_MAX];
	unsigned n_urls; /* at least 1 */
};

err_t reply_enrolment(
	struct enrolment *enrolment, const char *body, size_t len, struct fault *fault) MUST_CHECK;

err_t reply_attachment(struct attachment *attachment, const char *body, size_t len,
	struct fault *fault) MUST_CHECK;

/* What a reply with an HTTP error status said: the detail of its problem document if it is one.
 * Returns the error that the status stands for. */
err_t reply_problem(unsigned status, const char *body, size_t len, struct fault *fault);
