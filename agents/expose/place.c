/* place: see place.h. */
#include "agents/expose/place.h"

#include "agents/document.h"
#include "agents/state.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define REGISTRATION_FILE "registration.json"

static err_t take_lock(struct place *place, const char *label, struct fault *fault)
{
	err_t err = state_lock(place->dir, &place->lock, fault);

	if (err == ERR_ALREADY_EXISTS)
		return fault_set(fault, ERR_ALREADY_EXISTS, "name",
			"lanyard expose runs for the name %s already: lanyard status tells how it "
			"is",
			label);
	return err;
}

err_t place_open(struct place *place, const char *state, const char *label, const char *zone,
	struct fault *fault)
{
	err_t err;

	*place = (struct place){ .lock = -1 };
	place->dir = zone == NULL ? xasprintf("%s/names/%s", state, label)
				  : xasprintf("%s/names/%s.%s", state, label, zone);
	if ((err = state_make_folder(place->dir, fault)) == OK)
		err = take_lock(place, label, fault);
	if (err != OK)
		place_close(place);
	return err;
}

void place_close(struct place *place)
{
	if (place->dir == NULL)
		return;
	if (place->lock >= 0)
		close(place->lock);
	free(place->dir);
	*place = (struct place){ 0 };
}

err_t place_load(const struct place *place, struct registration *registration, struct fault *fault)
{
	AUTO_DOCUMENT object = NULL;
	err_t err = state_read_json(place->dir, REGISTRATION_FILE, &object, fault);

	if (err != OK)
		return err;
	if (!document_text(object, "name", NULL, 1, registration->name, REGISTRY_NAME_SIZE) ||
		!document_text(object, "token", NULL, 1, registration->token, REGISTRY_TOKEN_SIZE))
		return fault_set(fault, ERR_DATA_LOSS, "", "%s/" REGISTRATION_FILE " is damaged",
			place->dir);
	return OK;
}

err_t place_save(
	const struct place *place, const struct registration *registration, struct fault *fault)
{
	AUTO_DOCUMENT object =
		json_pack("{s:s, s:s}", "name", registration->name, "token", registration->token);

	return state_write_json(place->dir, REGISTRATION_FILE, object, fault);
}

err_t place_link(
	const struct place *place, const char *name, const char *target, struct fault *fault)
{
	AUTO_FREE char *path = xasprintf("%s/%s", place->dir, name);
	AUTO_FREE char *aside = xasprintf("%s/%s.new", place->dir, name);

	unlink(aside);
	if (symlink(target, aside) < 0 || rename(aside, path) < 0)
		return fault_set(fault, ERR_INTERNAL, "state", "can't link %.100s: %m", path);
	return OK;
}

char *place_key(const struct place *place, const char *pkcs11)
{
	return pkcs11 != NULL ? xstrdup(pkcs11) : xasprintf("%s/" PLACE_KEY, place->dir);
}

void place_unlink(const struct place *place, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", place->dir, name);

	unlink(path);
}
