/* admit: see admit.h. The words of refusals are those that people know from other servers. */
#include "services/provision/profile/admit.h"

#include "services/provision/auth.h"
#include "services/provision/profile/access.h"
#include "services/provision/profile/store_profile.h"

#include <string.h>

#define UNKNOWN	   "user or certificate does not exist"
#define DISABLED   "[VPN] unable to connect, account is disabled"
#define NOT_MEMBER "[VPN] unable to connect, account not a member of required group"
#define NO_TOTP	   "[VPN] invalid two factor type"
#define BAD_TOTP   "[VPN] TOTP validation failed: "

/* Does the profile lead into this network, by this server, with this certificate? */
static bool is_meant(
	const Provision__Profile *profile, const struct admit_visit *visit, const char *bound_to)
{
	return access_has_protocol(profile, PROFILE_OPENVPN) &&
	       strcmp(profile->network, visit->network) == 0 &&
	       (*visit->profile_id == '\0' ||
		       strcmp(profile->profile_id, visit->profile_id) == 0) &&
	       (*bound_to == '\0' || strcmp(profile->profile_id, bound_to) == 0);
}

/* One of the profiles that are meant has to be open; a code is needed if any of those wants it,
 * since which of them the person has chosen is not told. */
static err_t choose(struct call *call, const Auth__User *person, const struct admit_visit *visit,
	const char *bound_to, const char **refused, bool *two_factor)
{
	Provision__ProfileList list = PROVISION__PROFILE_LIST__INIT;
	err_t err = access_list(call, person, &list);

	if (err != OK)
		return err;
	*refused = NOT_MEMBER;
	for (size_t i = 0; i < list.n_items; i++)
		if (is_meant(list.items[i], visit, bound_to)) {
			*refused = NULL;
			*two_factor |= list.items[i]->two_factor;
		}
	return OK;
}

static err_t check_code(struct call *call, const Auth__User *person,
	const struct admit_visit *visit, const char **refused)
{
	const char *error;
	err_t err;

	if (strcmp(visit->username, "totp") != 0) {
		*refused = NO_TOTP;
		return OK;
	}
	err = auth_check_totp(call, person->id, visit->password, &error);
	if (err == OK && *error != '\0')
		*refused = arena_printf(call->arena, BAD_TOTP "%s", error);
	return err;
}

static err_t examine(struct call *call, const Auth__User *person, const struct admit_visit *visit,
	const struct db_rows *certificate, const char **refused)
{
	bool two_factor = false;
	err_t err = OK;

	*refused = NULL;
	if (strcmp(person->state, "active") != 0)
		*refused = DISABLED;
	else
		err = choose(call, person, visit, db_text(certificate, 0, "profile_id"), refused,
			&two_factor);
	if (err == OK && *refused == NULL && two_factor && !visit->proven)
		err = check_code(call, person, visit, refused);
	if (err != OK || *refused == NULL)
		return err;
	return store_notice_tell(call, person->id, *refused);
}

err_t admit_user(struct call *call, const struct admit_visit *visit, const char **refused)
{
	AUTO_ROWS certificate = NULL;
	const Auth__User *person;
	err_t err = store_app_certificate_find(call, visit->serial, NULL, &certificate);

	*refused = UNKNOWN;
	if (err != OK || db_count(certificate) == 0 ||
		strcmp(db_text(certificate, 0, "state"), "valid") != 0)
		return err;
	err = auth_get_user(call, db_text(certificate, 0, "user"), &person);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	return examine(call, person, visit, certificate, refused);
}
