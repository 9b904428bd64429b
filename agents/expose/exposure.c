/* exposure: see exposure.h. */
#include "agents/expose/exposure.h"

#include "agents/expose/certificate.h"
#include "agents/expose/holding.h"
#include "agents/expose/machine.h"
#include "agents/expose/place.h"
#include "agents/expose/way.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <string.h>

#define ASK_MS 60000

struct exposure {
	struct exposure_options options;
	char *label, *target;
	struct place place;
	struct holding *holding;
	struct certificate *certificate; /* NULL: the name is not ours (yet) */
	char *certificate_file, *key;	 /* of the door's identity */
	struct way *way;		 /* NULL: nobody can come */
	int64_t ask_from_ms;		 /* then the portal may be asked why the node refuses */
	char problem[256];
};

static const char *const holding_names[] = {
	[HOLDING_REGISTERING] = "registering",
	[HOLDING_HELD] = "held",
	[HOLDING_TAKEN] = "taken",
};

static void on_renewed(void *context);
static void on_way_changed(void *context);

/* ---- what belongs to a name that is held ---- */

static void begin_certificate(struct exposure *exposure)
{
	const struct exposure_common *common = exposure->options.common;
	struct fault fault;

	if (exposure->certificate != NULL || holding_name(exposure->holding)[0] == '\0')
		return;
	exposure->problem[0] = '\0';
	if (certificate_create(&exposure->certificate,
		    &(struct certificate_options){ common->loop, exposure->holding,
			    &exposure->place, common->state, common->acme, common->acme_ca,
			    common->reload, common->pkcs11, common->proxy, exposure, on_renewed },
		    &fault) == OK)
		return;
	memcpy(exposure->problem, fault.detail, sizeof(exposure->problem));
	log_error("certificate", "name=%s text=%s", exposure->label, log_value(fault.detail));
}

/* Visitors of a door of ours have to wait for the certificate; a server behind has one itself. */
static void begin_way(struct exposure *exposure)
{
	const struct exposure_common *common = exposure->options.common;
	const struct name_info *info = holding_info(exposure->holding);

	if (info->n_urls == 0 ||
		(exposure->options.door && (exposure->certificate == NULL ||
						   !certificate_is_good(exposure->certificate))))
		return;
	if (exposure->way == NULL)
		exposure->way = way_create(&(struct way_options){
			.loop = common->loop,
			.fetcher = common->fetcher,
			.trust = common->trust,
			.congestion = common->congestion,
			.target = exposure->target,
			.http_target = common->http_target,
			.proxy_protocol = common->proxy_protocol,
			.context = exposure,
			.changed = on_way_changed,
		});
	way_lead(exposure->way, info, holding_token(exposure->holding));
}

static void end_all(struct exposure *exposure)
{
	way_destroy(exposure->way);
	certificate_destroy(exposure->certificate);
	exposure->way = NULL;
	exposure->certificate = NULL;
}

/* The name may have expired while the device was asleep: a sign of life brings it back. Not again
 * and again, should the node have other reasons. */
static void on_way_changed(void *context)
{
	struct exposure *exposure = context;
	int64_t now_ms = clock_ms();

	if (way_is_refused(exposure->way) && now_ms >= exposure->ask_from_ms) {
		exposure->ask_from_ms = now_ms + ASK_MS;
		holding_report(exposure->holding);
	}
	exposure->options.changed(exposure->options.context);
}

static void on_renewed(void *context)
{
	struct exposure *exposure = context;

	if (holding_state(exposure->holding) == HOLDING_HELD)
		begin_way(exposure);
	exposure->options.renewed(exposure->options.context);
}

static void on_held(void *context)
{
	struct exposure *exposure = context;
	enum holding_state state = holding_state(exposure->holding);

	if (state == HOLDING_HELD) {
		begin_certificate(exposure);
		begin_way(exposure);
	} else if (state == HOLDING_TAKEN) {
		end_all(exposure);
		exposure->options.renewed(exposure->options.context);
	}
	exposure->options.changed(exposure->options.context);
}

/* ---- life ---- */

err_t exposure_create(
	struct exposure **out, const struct exposure_options *options, struct fault *fault)
{
	const struct exposure_common *common = options->common;
	struct exposure *exposure = xcalloc(1, sizeof(*exposure));
	err_t err =
		place_open(&exposure->place, common->state, options->label, common->zone, fault);

	if (err != OK) {
		free(exposure);
		return err;
	}
	exposure->options = *options;
	exposure->label = xstrdup(options->label);
	exposure->target = xstrdup(options->target);
	exposure->certificate_file = xasprintf("%s/" PLACE_CERTIFICATE, exposure->place.dir);
	exposure->key = place_key(&exposure->place, common->pkcs11);
	exposure->holding = holding_create(&(struct holding_options){
		.loop = common->loop,
		.fetcher = common->fetcher,
		.device = common->device,
		.place = &exposure->place,
		.label = exposure->label,
		.zone = common->zone,
		.interface = common->interface,
		.context = exposure,
		.changed = on_held,
	});
	begin_certificate(exposure); /* a device that is offline serves its neighbours */
	*out = exposure;
	return OK;
}

void exposure_destroy(struct exposure *exposure)
{
	if (exposure == NULL)
		return;
	end_all(exposure);
	holding_destroy(exposure->holding);
	place_close(&exposure->place);
	free(exposure->label);
	free(exposure->target);
	free(exposure->certificate_file);
	free(exposure->key);
	free(exposure);
}

/* ---- questions ---- */

const char *exposure_label(const struct exposure *exposure)
{
	return exposure->label;
}

const char *exposure_name(const struct exposure *exposure)
{
	return holding_name(exposure->holding);
}

bool exposure_is_settled(const struct exposure *exposure)
{
	return holding_state(exposure->holding) != HOLDING_REGISTERING;
}

bool exposure_is_taken(const struct exposure *exposure)
{
	return holding_state(exposure->holding) == HOLDING_TAKEN;
}

bool exposure_is_ready(const struct exposure *exposure)
{
	return holding_state(exposure->holding) == HOLDING_HELD && exposure->certificate != NULL &&
	       certificate_is_good(exposure->certificate) && exposure->way != NULL &&
	       way_is_open(exposure->way);
}

const char *exposure_problem(const struct exposure *exposure)
{
	if (holding_problem(exposure->holding)[0] != '\0')
		return holding_problem(exposure->holding);
	if (exposure->certificate != NULL && certificate_problem(exposure->certificate)[0] != '\0')
		return certificate_problem(exposure->certificate);
	if (holding_state(exposure->holding) == HOLDING_HELD &&
		holding_info(exposure->holding)->n_urls == 0)
		return "the portal names no node for tunnels (LANYARD_DNS_TUNNEL_URLS)";
	return exposure->problem;
}

bool exposure_identity(const struct exposure *exposure, struct tls_identity *identity)
{
	if (exposure->certificate == NULL || !certificate_is_good(exposure->certificate))
		return false;
	*identity = (struct tls_identity){ exposure->certificate_file, exposure->key, NULL };
	return true;
}

const char *exposure_folder(const struct exposure *exposure)
{
	return exposure->place.dir;
}

static void set_text(json_t *status, const char *member, const char *text)
{
	if (*text != '\0')
		json_object_set_new(status, member, json_string(text));
}

json_t *exposure_status(const struct exposure *exposure)
{
	char addresses[MACHINE_ADDRESSES_SIZE];
	const char *name = exposure_name(exposure);
	json_t *status = json_object();

	machine_addresses(exposure->options.common->interface, addresses);
	set_text(status, "name", *name != '\0' ? name : exposure->label);
	set_text(status, "state", holding_names[holding_state(exposure->holding)]);
	set_text(status, "target", exposure->target);
	set_text(status, "local", addresses);
	if (exposure->way != NULL)
		way_report(exposure->way, status);
	if (exposure->certificate != NULL)
		certificate_report(exposure->certificate, status);
	set_text(status, "problem", exposure_problem(exposure));
	return status;
}
