/*
 * identity: see identity.h.
 */
#include "dataplane/identity.h"

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tls_server.h"

#include <string.h>

#define LOOK_MS 10000

struct identity {
	char *certs, *keys; /* cut into the files' names */
	struct tls_identity files[TLS_IDENTITIES_MAX];
	struct tls_server *tls;
	uv_timer_t timer;
};

/* Cuts the list at its commas; how many names it has, 0 if they are too many or one is empty. */
static size_t cut(char *list, const char *names[TLS_IDENTITIES_MAX])
{
	size_t n = 0;

	for (char *name; (name = strsep(&list, ",")); n++) {
		if (n == TLS_IDENTITIES_MAX || *name == '\0')
			return 0;
		names[n] = name;
	}
	return n;
}

static err_t read_files(
	struct identity *identity, const struct identity_settings *settings, struct fault *fault)
{
	const char *certs[TLS_IDENTITIES_MAX], *keys[TLS_IDENTITIES_MAX];
	struct tls_server_options options = { .identities = identity->files,
		.client_ca = settings->clients };

	options.n_identities = cut(identity->certs, certs);
	if (options.n_identities == 0 || options.n_identities != cut(identity->keys, keys))
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_TLS_KEY",
			"expected as many PEM files as in LANYARD_TLS_CERT, 1 to %d, separated by "
			"commas",
			TLS_IDENTITIES_MAX);
	for (size_t i = 0; i < options.n_identities; i++)
		identity->files[i] = (struct tls_identity){ certs[i], keys[i], NULL };
	identity->files[0].chain = settings->chain;
	if (*settings->clients != '\0')
		options.clients =
			settings->clients_required ? TLS_CLIENTS_REQUIRED : TLS_CLIENTS_OPTIONAL;
	return tls_server_create(&identity->tls, &options, fault);
}

err_t identity_open(
	struct identity **out, const struct identity_settings *settings, struct fault *fault)
{
	struct identity *identity;
	err_t err;

	if (*settings->certs == '\0' && *settings->clients != '\0')
		return fault_set(fault, ERR_INVALID_ARGUMENT, "LANYARD_TLS_CLIENT_CA",
			"needs TLS: set LANYARD_TLS_CERT and LANYARD_TLS_KEY");
	identity = xcalloc(1, sizeof(*identity));
	identity->certs = xstrdup(settings->certs);
	identity->keys = xstrdup(settings->keys);
	err = *settings->certs == '\0' ? OK : read_files(identity, settings, fault);
	if (err == OK)
		*out = identity;
	else
		identity_destroy(identity);
	return err;
}

struct tls_server *identity_tls(const struct identity *identity)
{
	return identity->tls;
}

static void on_time(uv_timer_t *timer)
{
	struct identity *identity = timer->data;
	struct fault fault;
	bool changed;

	if (tls_server_refresh(identity->tls, &changed, &fault) != OK)
		log_error("certificates_bad",
			"detail=%s: the old ones are shown until the files change again",
			log_value(fault.detail));
	else if (changed)
		log_info("certificates_read", "first=%s", log_value(identity->files[0].cert));
}

void identity_watch(struct identity *identity, uv_loop_t *loop)
{
	uv_timer_init(loop, &identity->timer);
	identity->timer.data = identity;
	if (identity->tls)
		uv_timer_start(&identity->timer, on_time, LOOK_MS, LOOK_MS);
}

void identity_unwatch(struct identity *identity)
{
	uv_close((uv_handle_t *)&identity->timer, NULL);
}

void identity_destroy(struct identity *identity)
{
	if (!identity)
		return;
	tls_server_destroy(identity->tls);
	free(identity->certs);
	free(identity->keys);
	free(identity);
}
