/* lanyard enroll: joins a tenant: shows the enrolment key to the portal, keeps the identity it
 * gets. */
#include "agents/command.h"
#include "agents/options.h"
#include "agents/portal.h"
#include "agents/proxy.h"
#include "agents/login.h"
#include "agents/state.h"
#include "agents/url.h"

#include "lib/mem.h"

#include <sodium.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_VARIABLE "LANYARD_ENROLMENT_KEY"

struct enroll {
	const char *url;
	const char *name;
	const char *ca;
	const char *state;
	const char *key_file;
	const char *proxy_url, *proxy_credentials;
	struct proxy proxy;
};

static const char details[] =
	"URL is the portal's, e.g. https://vpn.example:8443. The enrolment key is read from the "
	"file of\n"
	"--key-file, else from the environment variable " KEY_VARIABLE
	", else from standard input; never\n"
	"from the command line, where others could see it.\n\n"
	"Exit status: 0 enrolled (also if it was before, at this URL under this name), 1 it "
	"failed, 2 wrong\n"
	"usage. After a lost reply run it again: the key is not used up twice.\n";

/* ---- what is asked for ---- */

/* The host name's first label, in lower case. */
static void default_name(char name[REPLY_NAME_SIZE])
{
	if (gethostname(name, REPLY_NAME_SIZE) < 0)
		name[0] = '\0';
	name[REPLY_NAME_SIZE - 1] = '\0';
	name[strcspn(name, ".")] = '\0';
	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
}

/* The portal's URL as device.json keeps it: without slashes at its end. */
static err_t tidy_url(const char *text, char out[URL_MAX], struct fault *fault)
{
	struct url url;
	size_t len = strlen(text);
	err_t err = url_parse(&url, "https", text, fault);

	if (err != OK)
		return err;
	while (text[len - 1] == '/')
		len--;
	if (len >= URL_MAX)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "url", "the URL is too long");
	memcpy(out, text, len);
	out[len] = '\0';
	return OK;
}

static err_t read_stdin(char key[LOGIN_MAX], struct fault *fault)
{
	if (isatty(STDIN_FILENO))
		fprintf(stderr, "enrolment key: ");
	if (fgets(key, LOGIN_MAX, stdin) == NULL)
		return fault_set(fault, ERR_INVALID_ARGUMENT, "",
			"no enrolment key: give --key-file, " KEY_VARIABLE
			", or a line on standard input");
	return OK;
}

static err_t read_key(const char *file, char key[LOGIN_MAX], struct fault *fault)
{
	err_t err = login_read("an enrolment key", file, KEY_VARIABLE, key, fault);

	if (err == OK && key[0] == '\0')
		err = read_stdin(key, fault);
	if (err != OK)
		return err;
	key[strcspn(key, "\r\n")] = '\0';
	for (const char *c = key; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			key[0] = '\0';
	return key[0] != '\0' ? OK
			      : fault_set(fault, ERR_INVALID_ARGUMENT, "",
					"the enrolment key is empty, or no key at all");
}

/* ---- the enrolment ---- */

/* Is there an identity already? The same one is what was asked for; another is never overwritten.
 */
static err_t check_enrolled(
	const struct enroll *options, const char *url, bool *same, struct fault *fault)
{
	struct device device;
	err_t err = state_load(options->state, &device, fault);

	*same = false;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	*same = strcmp(device.url, url) == 0 && strcmp(device.name, options->name) == 0;
	if (*same)
		printf("enrolled already as %s at %s\n", device.name, device.url);
	else
		err = fault_set(fault, ERR_ALREADY_EXISTS, "",
			"enrolled already as %s at %.80s: use another --state, or remove "
			"%.60s/device.json first",
			device.name, device.url, options->state);
	device_finish(&device);
	return err;
}

static err_t keep(const struct enroll *options, const char *url, const char *ca_pem,
	const struct enrolment *enrolment, struct fault *fault)
{
	struct device device = { .ca_pem = (char *)ca_pem };
	err_t err;

	memcpy(device.url, url, strlen(url) + 1);
	memcpy(device.tenant, enrolment->tenant, sizeof(device.tenant));
	memcpy(device.id, enrolment->device, sizeof(device.id));
	memcpy(device.name, enrolment->name, sizeof(device.name));
	memcpy(device.secret, enrolment->secret, sizeof(device.secret));
	err = state_save(options->state, &device, fault);
	sodium_memzero(&device, sizeof(device));
	return err;
}

static err_t enrol(
	const struct enroll *options, const char *url, const char *key, struct fault *fault)
{
	AUTO_FREE char *ca_pem = NULL;
	char idempotency_key[REPLY_ID_SIZE];
	struct enrolment enrolment;
	err_t err = OK;

	if (options->ca != NULL)
		err = state_read_file(options->ca, STATE_CA_MAX, &ca_pem, fault);
	if (err != OK || (err = state_enrolling(options->state, url, options->name, key,
				  idempotency_key, fault)) != OK)
		return err;
	err = portal_enrol(&(struct portal_enrolment){ url, options->name, key, idempotency_key,
				   ca_pem, &options->proxy },
		&enrolment, fault);
	if (err != OK || (err = keep(options, url, ca_pem, &enrolment, fault)) != OK)
		return err;
	state_enrolled(options->state);
	sodium_memzero(enrolment.secret, sizeof(enrolment.secret));
	printf("enrolled as %s (device %s, %s)\n", enrolment.name, enrolment.device,
		enrolment.state);
	return OK;
}

static err_t run(struct enroll *options, struct fault *fault)
{
	char url[URL_MAX], name[REPLY_NAME_SIZE], key[LOGIN_MAX];
	bool same;
	err_t err;

	default_name(name);
	if (options->name == NULL)
		options->name = name;
	if ((err = tidy_url(options->url, url, fault)) != OK ||
		(err = proxy_read(&options->proxy, options->proxy_url, options->proxy_credentials,
			 fault)) != OK ||
		(err = check_enrolled(options, url, &same, fault)) != OK || same ||
		(err = read_key(options->key_file, key, fault)) != OK)
		return err;
	err = enrol(options, url, key, fault);
	sodium_memzero(key, sizeof(key));
	return err;
}

int command_enroll(int argc, char **argv)
{
	struct enroll options = { .state = COMMAND_STATE };
	const struct option_row rows[] = {
		{ "name", "NAME", "the device's name (default: the host's)", &options.name, NULL },
		{ "ca", "FILE", "trust these certificates (PEM) beside the system's", &options.ca,
			NULL },
		{ "state", "DIR", "state folder (default " COMMAND_STATE ")", &options.state,
			NULL },
		{ "key-file", "FILE", "read the enrolment key from FILE", &options.key_file, NULL },
		{ "proxy", "URL", "through http://HOST:PORT or socks5://HOST:PORT",
			&options.proxy_url, NULL },
		{ "proxy-credentials", "FILE", "read the proxy's USER:PASSWORD from FILE",
			&options.proxy_credentials, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_word words[] = { { "URL", &options.url }, { NULL, NULL } };
	const struct option_table table = { "enroll", "Joins a tenant with an enrolment key.",
		details, words, rows };
	struct fault fault = { 0 };
	int status;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	if (run(&options, &fault) == OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "lanyard enroll: %s\n", fault.detail);
	return EXIT_FAILURE;
}
