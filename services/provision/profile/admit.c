/* admit: see admit.h. The words of refusals are those that people know from other servers. */
#include "services/provision/profile/admit.h"

#include "services/provision/auth.h"
#include "services/provision/profile/access.h"
#include "services/provision/profile/store_profile.h"

#include <string.h>

#define UNKNOWN	   "user or certificate does not exist"
#define DISABLED   "[VPN] unable to connect, account is disabled"
#define NOT_MEMBER "[VPN] unable to connect, account not a member of required group"

/* Does the profile lead into this network, by this server, with this certificate? */
static bool is_meant(const Provision__Profile *profile, const char *network, const char *profile_id,
	const char *bound_to)
{
	return strcmp(profile->network, network) == 0 &&
	       (*profile_id == '\0' || strcmp(profile->profile_id, profile_id) == 0) &&
	       (*bound_to == '\0' || strcmp(profile->profile_id, bound_to) == 0);
}

/* One of the profiles that are meant has to be open; the second factor is needed if any of those
 * wants it, as it is not known which of them the person has chosen. */
static err_t choose(struct call *call, const Auth__User *person, const char *network,
	const char *profile_id, const char *bound_to, struct admission *admission)
{
	Provision__ProfileList list = PROVISION__PROFILE_LIST__INIT;
	err_t err = access_list(call, person, &list);

	if (err != OK)
		return err;
	admission->refused = NOT_MEMBER;
	for (size_t i = 0; i < list.n_items; i++) {
		if (!is_meant(list.items[i], network, profile_id, bound_to))
			continue;
		admission->refused = NULL;
		admission->two_factor |= list.items[i]->two_factor;
	}
	return OK;
}

static err_t examine(struct call *call, const char *network, const char *profile_id,
	const char *bound_to, struct admission *admission)
{
	const Auth__User *person;
	err_t err = auth_get_user(call, admission->user, &person);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	admission->user_name = person->name;
	if (strcmp(person->state, "active") == 0)
		err = choose(call, person, network, profile_id, bound_to, admission);
	else
		admission->refused = DISABLED;
	if (err != OK || admission->refused == NULL)
		return err;
	return store_notice_tell(call, admission->user, admission->refused);
}

err_t admit_user(struct call *call, const char *network, const char *profile_id, const char *serial,
	struct admission *admission)
{
	AUTO_ROWS rows = NULL;
	err_t err = store_app_certificate_find(call, serial, NULL, &rows);

	*admission = (struct admission){
		.refused = UNKNOWN, .user = "", .user_name = "", .client_id = ""
	};
	if (err != OK || db_count(rows) == 0 || strcmp(db_text(rows, 0, "state"), "valid") != 0)
		return err;
	admission->user = arena_strdup(call->arena, db_text(rows, 0, "user"));
	admission->client_id = arena_strdup(call->arena, db_text(rows, 0, "client_id"));
	return examine(call, network, profile_id, db_text(rows, 0, "profile_id"), admission);
}
