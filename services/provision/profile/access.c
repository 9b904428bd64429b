/* access: see access.h. */
#include "services/provision/profile/access.h"

#include "services/provision/auth.h"
#include "services/provision/profile/store_profile.h"
#include "services/provision/profile/words.h"

#include <string.h>

#define LIST_MAX 200

static bool is_in(const Auth__User *person, const char *group)
{
	for (size_t i = 0; i < person->n_groups; i++)
		if (strcmp(person->groups[i], group) == 0)
			return true;
	return false;
}

bool access_is_open(const Provision__Profile *profile, const Auth__User *person)
{
	for (size_t i = 0; i < profile->n_groups; i++)
		if (is_in(person, profile->groups[i]))
			return true;
	return profile->n_groups == 0;
}

bool access_has_protocol(const Provision__Profile *profile, const char *protocol)
{
	for (size_t i = 0; i < profile->n_protocols; i++)
		if (strcmp(profile->protocols[i], protocol) == 0)
			return true;
	return false;
}

err_t access_list(struct call *call, const Auth__User *person, Provision__ProfileList *list)
{
	Provision__ListProfilesRequest page = PROVISION__LIST_PROFILES_REQUEST__INIT;
	size_t n = 0;
	err_t err;

	page.limit = LIST_MAX;
	if ((err = store_profile_list(call, &page, list)) != OK)
		return err;
	for (size_t i = 0; i < list->n_items; i++)
		if (access_is_open(list->items[i], person))
			list->items[n++] = list->items[i];
	list->n_items = n;
	list->next_cursor = "";
	return OK;
}

err_t access_find_for(struct call *call, const Auth__User *person, const char *profile_id,
	const Provision__Profile **profile)
{
	Provision__ListProfilesRequest page = PROVISION__LIST_PROFILES_REQUEST__INIT;
	Provision__ProfileList list = PROVISION__PROFILE_LIST__INIT;
	err_t err;

	page.profile_id = (char *)(uintptr_t)profile_id;
	if ((err = store_profile_list(call, &page, &list)) != OK)
		return err;
	if (list.n_items == 0 || !access_is_open(list.items[0], person))
		return call_refuse(call, ERR_NOT_FOUND, "profile_id",
			"there is no profile %s for this user", profile_id);
	*profile = list.items[0];
	return OK;
}

err_t access_find(struct call *call, const char *user, const char *profile_id,
	const Provision__Profile **profile)
{
	const Auth__User *person;
	err_t err;

	if (!words_is_profile_id(profile_id))
		return call_refuse(
			call, ERR_INVALID_ARGUMENT, "profile_id", "expected the name of a profile");
	if ((err = auth_get_user(call, user, &person)) != OK)
		return err;
	return access_find_for(call, person, profile_id, profile);
}
