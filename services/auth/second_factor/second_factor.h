/*
 * second_factor: what a person shows beside the password, and the methods of
 * proto/second_factor.proto. A try of a code is kept whatever comes of it, so a wrong one is no
 * fault: the transaction is committed. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"
#include "proto/second_factor.pb-c.h"

/* Tries a code of the user's app or a recovery code, as it was typed; `error` is NULL if it was
 * right. NOT_FOUND: no such user. */
err_t second_factor_try(
	struct call *call, const char *user, const char *typed, const char **error) MUST_CHECK;

/* Once, before the first thread: registers the metrics. */
void second_factor_open(void);

/* Forgets tries that count no more. A task. */
err_t second_factor_purge(struct call *call) MUST_CHECK;

/* ---- the methods ---- */
err_t get_second_factor(
	struct call *call, const Auth__Ref *request, Auth__SecondFactor *reply) MUST_CHECK;
err_t enrol_totp(struct call *call, const Auth__EnrolTotpRequest *request,
	Auth__EnrolTotpReply *reply) MUST_CHECK;
err_t check_totp(struct call *call, const Auth__CheckTotpRequest *request,
	Auth__CheckTotpReply *reply) MUST_CHECK;
err_t disable_second_factor(struct call *call, const Auth__CheckTotpRequest *request,
	Auth__CheckTotpReply *reply) MUST_CHECK;
err_t renew_recovery_codes(struct call *call, const Auth__CheckTotpRequest *request,
	Auth__RecoveryCodes *reply) MUST_CHECK;
err_t reset_second_factor(
	struct call *call, const Auth__Ref *request, Auth__Empty *reply) MUST_CHECK;
