/*
 * revocation: tells everyone that what a subject holds is over. Runs in the thread of the call.
 */
#pragma once

#include "lib/call.h"

/* Publishes that tokens of `subject` signed up to now are void: call it after the change that keeps
 * new ones from being signed. */
err_t revocation_publish(struct call *call, const char *subject, const char *reason) MUST_CHECK;

/* The same of a subject that may come back, and that it has. */
err_t revocation_suspend(struct call *call, const char *subject, const char *reason) MUST_CHECK;
err_t revocation_resume(struct call *call, const char *subject) MUST_CHECK;
