/* revocation: see revocation.h, and the method Revoke. */
#include "services/auth/revocation.h"

#include "lib/check.h"
#include "lib/event.h"
#include "proto/event.pb-c.h"
#include "services/auth/handlers.h"
#include "services/auth/store.h"
#include "services/auth/subject.h"
#include "services/auth/user.h"

static err_t publish(struct call *call, const char *subject, const char *reason, bool suspended)
{
	Event__Revoked event = EVENT__REVOKED__INIT;
	long long second;
	err_t err = store_next_second(call, &second);

	if (err != OK)
		return err;
	event.subject = (char *)(uintptr_t)subject;
	event.reason = (char *)(uintptr_t)reason;
	event.not_before = second;
	event.suspended = suspended;
	return event_publish(call, "revoked", &event.base);
}

err_t revocation_publish(struct call *call, const char *subject, const char *reason)
{
	return publish(call, subject, reason, false);
}

err_t revocation_suspend(struct call *call, const char *subject, const char *reason)
{
	return publish(call, subject, reason, true);
}

err_t revocation_resume(struct call *call, const char *subject)
{
	Event__Resumed event = EVENT__RESUMED__INIT;

	event.subject = (char *)(uintptr_t)subject;
	return event_publish(call, "resumed", &event.base);
}

/* Takes away what the subject could get new tokens with. */
static err_t end_secrets(struct call *call, const struct subject *subject)
{
	switch (subject->kind) {
	case SUBJECT_USER:
		return user_block(call, subject->id);
	case SUBJECT_API_KEY:
		return store_api_key_delete(call, subject->id);
	case SUBJECT_DEVICE:
		return store_device_secret_delete(call, subject->id);
	}
	BUG("no such kind of subject: %d", (int)subject->kind);
}

err_t revoke(struct call *call, const Auth__RevokeRequest *request, Auth__Empty *reply)
{
	struct subject subject;
	err_t err;

	(void)reply;
	if ((err = subject_read(call, request->subject, &subject)) != OK ||
		(err = check_text(call, "reason", request->reason, 0, 256)) != OK)
		return err;
	if (!request->suspend)
		err = end_secrets(call, &subject);
	else if (subject.kind == SUBJECT_DEVICE)
		err = store_device_suspend(call, subject.id);
	if (err != OK)
		return err;
	return publish(call, request->subject, request->reason, request->suspend);
}
