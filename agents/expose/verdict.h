/*
 * verdict: why a certificate could not be had: which step failed, and a sentence about it, from
 * what uacme said. Pure.
 */
#pragma once

#include <stdbool.h>

#define VERDICT_TEXT_MAX 256

struct verdict {
	const char *reason; /* "clock", "api", "dns", "ca" or "helper" */
	char text[VERDICT_TEXT_MAX];
};

/* What a run of uacme ended with. */
struct verdict_of {
	int status;	      /* of waitpid */
	const char *said;     /* on standard error */
	const char *api;      /* why the portal did not take the challenge; NULL: it did */
	bool clock_is_behind; /* of this machine, for certain */
};

void verdict_read(struct verdict *verdict, const struct verdict_of *of);

/* The account that uacme says it has, into `url`. False: it says none that fits. */
bool verdict_account(const char *said, char *url, unsigned size);

/* The authority does not know the account. */
bool verdict_no_account(const char *said);
