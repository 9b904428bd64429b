/*
 * totp: time-based one-time passwords (RFC 6238) as VPN apps know them: SHA-1, six digits, 30
 * seconds. The only code that sees liboath. No state; any thread.
 */
#pragma once

#include <stdbool.h>

/* 16 to 32 letters and digits that are base32. */
bool totp_is_secret(const char *text);

/* Six digits. */
bool totp_is_code(const char *text);

/* Is `code` that of the step before `now_s`, of the one now, or of the next? Fills `step` then. The
 * secret is one of totp_is_secret. */
bool totp_match(const char *secret, long long now_s, const char *code, long long *step);
