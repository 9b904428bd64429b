/* expose: see expose.h. */
#include "agents/expose/expose.h"

#include "agents/document.h"
#include "agents/expose/door.h"
#include "agents/expose/label.h"
#include "agents/expose/machine.h"
#include "agents/expose/page.h"
#include "agents/state.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <string.h>

#define CHOICE_FILE "choice.json" /* in the folder of the MAC name: what was chosen on the page */

struct expose {
	struct expose_options options;
	struct exposure *first;	   /* the name of the MAC address; NULL: another process has it */
	struct exposure *friendly; /* NULL: none yet */
	char choice[LABEL_SIZE];   /* the label that `friendly` gets; "": none yet */
	char problem[256];	   /* of the choice */
	struct door *door, *page_door; /* NULL: not asked for */
	struct page *page;
};

static void on_changed(void *context);
static void on_renewed(void *context);

/* ---- names ---- */

static err_t begin(struct expose *expose, struct exposure **exposure, const char *label,
	bool is_first, struct fault *fault)
{
	const struct door *door =
		is_first && expose->page_door != NULL ? expose->page_door : expose->door;

	return exposure_create(exposure,
		&(struct exposure_options){ &expose->options.common, label,
			door != NULL ? door_address(door) : expose->options.target, door != NULL,
			expose, on_changed, on_renewed },
		fault);
}

/* The second name follows when the first is settled: then it is known that the portal answers. */
static void begin_friendly(struct expose *expose)
{
	struct fault fault;

	if (expose->choice[0] == '\0' || expose->friendly != NULL ||
		(expose->first != NULL && !exposure_is_settled(expose->first)))
		return;
	expose->problem[0] = '\0';
	if (begin(expose, &expose->friendly, expose->choice, false, &fault) == OK)
		return;
	memcpy(expose->problem, fault.detail, sizeof(expose->problem));
	expose->choice[0] = '\0';
	log_error("name", "text=%s", log_value(fault.detail));
}

static void on_changed(void *context)
{
	begin_friendly(context);
}

/* Both doors show the certificates of both names: the friendly one to who asks for none. */
static void on_renewed(void *context)
{
	struct expose *expose = context;
	const struct exposure *names[] = { expose->friendly, expose->first };
	struct door *doors[] = { expose->door, expose->page_door };
	struct tls_identity identities[ARRAY_LEN(names)];
	struct fault fault;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] != NULL && exposure_identity(names[i], &identities[n]))
			n++;
	for (size_t i = 0; i < ARRAY_LEN(doors); i++)
		if (doors[i] != NULL && door_show(doors[i], identities, n, &fault) != OK)
			log_error("certificate", "text=%s", log_value(fault.detail));
}

/* ---- the page ---- */

/* What follows the first label: where names are. */
static const char *zone_of(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL ? dot + 1 : "";
}

static void on_look(void *context, struct page_view *view)
{
	const struct expose *expose = context;
	const struct exposure *shown = expose->friendly != NULL ? expose->friendly : expose->first;

	view->mac_name = exposure_name(expose->first);
	view->mac_ready = exposure_is_ready(expose->first);
	view->zone = zone_of(view->mac_name);
	view->label = expose->choice;
	view->problem = expose->problem[0] != '\0' ? expose->problem : exposure_problem(shown);
	if (expose->friendly == NULL)
		return;
	view->name = exposure_name(expose->friendly);
	view->ready = exposure_is_ready(expose->friendly);
	view->taken = exposure_is_taken(expose->friendly);
}

static void on_choose(void *context, const char *label)
{
	struct expose *expose = context;
	AUTO_DOCUMENT choice = json_pack("{s:s}", "label", label);
	struct fault fault;

	exposure_destroy(expose->friendly);
	expose->friendly = NULL;
	strcpy(expose->choice, label);
	if (state_write_json(exposure_folder(expose->first), CHOICE_FILE, choice, &fault) != OK)
		log_error("choice", "text=%s", log_value(fault.detail));
	begin_friendly(expose);
}

static void load_choice(struct expose *expose)
{
	AUTO_DOCUMENT choice = NULL;
	char label[LABEL_SIZE];

	if (state_read_json(exposure_folder(expose->first), CHOICE_FILE, &choice, NULL) == OK &&
		document_text(choice, "label", NULL, 1, label, sizeof(label)) &&
		label_read(label, expose->choice))
		return;
	expose->choice[0] = '\0';
}

static err_t open_page(struct expose *expose, struct fault *fault)
{
	const struct expose_options *options = &expose->options;
	err_t err;

	if (options->page == NULL)
		return OK;
	err = page_open(&expose->page,
		&(struct page_options){
			options->common.loop, options->page, expose, on_look, on_choose },
		fault);
	if (err != OK)
		return err;
	return door_open(
		&expose->page_door, options->common.loop, NULL, page_address(expose->page), fault);
}

/* ---- life ---- */

/* Without a name of its own, or with the page, this process has to have the MAC name. */
static err_t begin_first(struct expose *expose, struct fault *fault)
{
	const struct expose_options *options = &expose->options;
	bool needed = options->name == NULL || options->page != NULL;
	char label[MACHINE_LABEL_SIZE];
	err_t err = machine_label(options->common.interface, label, fault);

	if (err == OK)
		err = begin(expose, &expose->first, label, true, fault);
	if (err == OK && options->name == NULL)
		load_choice(expose);
	if (err == OK || needed)
		return err;
	log_info("mac_name", "text=%s", log_value(fault->detail));
	return OK;
}

err_t expose_create(struct expose **out, const struct expose_options *options, struct fault *fault)
{
	struct expose *expose = xcalloc(1, sizeof(*expose));
	err_t err = OK;

	expose->options = *options;
	if (options->name != NULL)
		strcpy(expose->choice, options->name);
	if (options->tls)
		err = door_open(&expose->door, options->common.loop, options->listen,
			options->target, fault);
	if (err == OK)
		err = open_page(expose, fault);
	if (err == OK)
		err = begin_first(expose, fault);
	if (err == OK && expose->first == NULL)
		err = begin(expose, &expose->friendly, expose->choice, false, fault);
	if (err != OK) {
		expose_destroy(expose);
		return err;
	}
	on_renewed(expose); /* what earlier runs have left */
	*out = expose;
	return OK;
}

void expose_destroy(struct expose *expose)
{
	if (expose == NULL)
		return;
	page_close(expose->page);
	exposure_destroy(expose->friendly);
	exposure_destroy(expose->first);
	door_close(expose->page_door);
	door_close(expose->door);
	free(expose);
}

char *expose_status(const struct expose *expose)
{
	const struct exposure *names[] = { expose->first, expose->friendly };
	AUTO_DOCUMENT status = json_object();
	json_t *list = json_array();
	bool ready = expose->friendly != NULL || expose->choice[0] == '\0';

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] != NULL) {
			ready = ready && exposure_is_ready(names[i]);
			json_array_append_new(list, exposure_status(names[i]));
		}
	json_object_set_new(status, "state", json_string(ready ? "connected" : "waiting"));
	json_object_set_new(status, "device", json_string(expose->options.common.device->id));
	json_object_set_new(status, "names", list);
	return json_dumps(status, JSON_COMPACT);
}
