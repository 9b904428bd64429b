/* lanyard instances: lists of sites that VPN apps offer: makes keys, signs lists, checks and
 * fetches them. */
#include "agents/command.h"
#include "agents/document.h"
#include "agents/fetch.h"
#include "agents/instances/file.h"
#include "agents/instances/list.h"
#include "agents/instances/signing.h"
#include "agents/options.h"

#include "lib/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char details[] =
	"ACTION is one of\n"
	"  key     make a key in the file --key, and print its public half in both forms\n"
	"  sign    make --list the next one: raise its number, and sign it with --key. A list of "
	"old apps\n"
	"          (instances) gets FILE.sig, one of today's (server_list, organization_list) "
	"FILE.minisig\n"
	"  verify  check --list and its signature against --public\n"
	"  fetch   get --url and its signature, check them, and put them in the place of --list, "
	"unless the\n"
	"          list that is there has a higher number\n\n"
	"A gateway with LANYARD_LISTS_FOLDER shows such files at /disco/FILE.\n\n"
	"Exit status: 0 done, 1 it failed or the signature is not good, 2 wrong usage.\n";

struct command {
	const char *action, *file;
	const char *key, *public, *url, *trust;
	struct arena *arena;
	struct fault fault;
};

/* ---- what is needed for it ---- */

static err_t need(struct command *command, const char *name, const char *value)
{
	if (value != NULL)
		return OK;
	return fault_set(
		&command->fault, ERR_INVALID_ARGUMENT, name, "%s needs it", command->action);
}

static err_t read_secret(struct command *command, struct signing_secret *secret)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	err_t err;

	if ((err = need(command, "--key", command->key)) != OK ||
		(err = file_read(command->key, &text, &len, &command->fault)) != OK)
		return err;
	if (signing_secret_read(text, secret))
		return OK;
	return fault_set(&command->fault, ERR_INVALID_ARGUMENT, "--key",
		"%s is no key of lanyard instances key", command->key);
}

static err_t read_public(struct command *command, struct signing_public *public)
{
	err_t err = need(command, "--public", command->public);

	if (err != OK || signing_public_read(command->public, public))
		return err;
	return fault_set(&command->fault, ERR_INVALID_ARGUMENT, "--public",
		"expected a key in Base64, or as minisign has it (RW...)");
}

static err_t read_list(struct command *command, const char *text, size_t len, json_t **list)
{
	*list = document_read(text, len);
	if (*list == NULL)
		return fault_set(&command->fault, ERR_INVALID_ARGUMENT, command->file,
			"expected a JSON object");
	return list_check(*list, &command->fault);
}

static char *signature_path(const struct command *command, const char *path, bool old)
{
	return arena_printf(command->arena, "%s%s", path, old ? ".sig" : ".minisig");
}

/* ---- the actions ---- */

static err_t make_key(struct command *command)
{
	struct signing_secret secret;
	err_t err = need(command, "--key", command->key);

	if (err != OK)
		return err;
	signing_create(&secret);
	err = file_create(
		command->key, signing_secret_write(command->arena, &secret), &command->fault);
	if (err == OK)
		printf("%s\n%s\n", signing_public_plain(command->arena, &secret),
			signing_public_minisign(command->arena, &secret));
	sodium_memzero(&secret, sizeof(secret));
	return err;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static char *make_signature(
	struct command *command, const struct signing_secret *secret, const char *text, bool old)
{
	if (old)
		return signing_detached(command->arena, secret, text, strlen(text));
	return signing_minisign(command->arena, secret, text, strlen(text),
		arena_printf(command->arena, "timestamp:%" PRId64 "\tfile:%s\thashed",
			clock_unix_ms() / 1000, file_name(command->file)));
}

static err_t sign(struct command *command)
{
	AUTO_FREE char *text = NULL, *next = NULL;
	AUTO_DOCUMENT list = NULL;
	struct signing_secret secret;
	char *signature;
	size_t len;
	bool old;
	err_t err;

	if ((err = need(command, "--list", command->file)) != OK ||
		(err = read_secret(command, &secret)) != OK ||
		(err = file_read(command->file, &text, &len, &command->fault)) != OK ||
		(err = read_list(command, text, len, &list)) != OK)
		return err;
	old = list_is_old(list);
	list_raise(list, clock_unix_ms() / 1000);
	next = json_dumps(list, JSON_INDENT(4) | JSON_PRESERVE_ORDER);
	signature = make_signature(command, &secret, next, old);
	sodium_memzero(&secret, sizeof(secret));
	/* Who reads between the two finds a signature that is not good, and asks again. */
	if ((err = file_replace(command->file, next, &command->fault)) != OK ||
		(err = file_replace(signature_path(command, command->file, old), signature,
			 &command->fault)) != OK)
		return err;
	printf("%s %" PRId64 "\n", old ? "seq" : "v", list_number(list));
	return OK;
}

static err_t check(
	struct command *command, const char *text, size_t len, bool old, const char *signature)
{
	struct signing_public public;
	const char *wrong;
	err_t err = read_public(command, &public);

	if (err != OK)
		return err;
	wrong = old ? signing_check_detached(&public, text, len, signature)
		    : signing_check_minisign(&public, text, len, signature);
	return wrong == NULL ? OK
			     : fault_set(&command->fault, ERR_UNAUTHENTICATED, command->file, "%s",
				       wrong);
}

static err_t verify(struct command *command)
{
	AUTO_FREE char *text = NULL, *signature = NULL;
	AUTO_DOCUMENT list = NULL;
	size_t len, signature_len;
	err_t err;

	if ((err = need(command, "--list", command->file)) != OK ||
		(err = file_read(command->file, &text, &len, &command->fault)) != OK ||
		(err = read_list(command, text, len, &list)) != OK ||
		(err = file_read(signature_path(command, command->file, list_is_old(list)),
			 &signature, &signature_len, &command->fault)) != OK ||
		(err = check(command, text, len, list_is_old(list), signature)) != OK)
		return err;
	printf("good, %s %" PRId64 "\n", list_is_old(list) ? "seq" : "v", list_number(list));
	return OK;
}

/* ---- fetching ---- */

static err_t get(struct command *command, const char *url, const char *trust, char **body)
{
	const struct fetch_request request = { .url = url, .ca_pem = trust };
	struct proxy proxy = { 0 };
	struct fetch_reply reply = { 0 };

	fetch_post_now(&request, &proxy, &reply, body);
	if (reply.err != OK) {
		command->fault = reply.fault;
		return reply.err;
	}
	if (reply.status != 200)
		return fault_set(&command->fault, ERR_UNAVAILABLE, "--url", "%s answers %u", url,
			reply.status);
	return OK;
}

/* A list that was there before must not have a higher number: somebody would hide what is new. */
static err_t check_rollback(struct command *command, const json_t *list)
{
	AUTO_FREE char *text = NULL;
	AUTO_DOCUMENT before = NULL;
	struct fault nothing;
	size_t len;

	if (file_read(command->file, &text, &len, &nothing) != OK ||
		(before = document_read(text, len)) == NULL)
		return OK;
	if (list_number(list) >= list_number(before))
		return OK;
	return fault_set(&command->fault, ERR_FAILED_PRECONDITION, command->file,
		"the list has the number %" PRId64 ", lower than %" PRId64
		" of the one that is there",
		list_number(list), list_number(before));
}

static err_t fetch(struct command *command)
{
	AUTO_FREE char *text = NULL, *signature = NULL, *trust = NULL;
	AUTO_DOCUMENT list = NULL;
	size_t len;
	err_t err;

	if ((err = need(command, "--list", command->file)) != OK ||
		(err = need(command, "--url", command->url)) != OK ||
		(command->trust != NULL &&
			(err = file_read(command->trust, &trust, &len, &command->fault)) != OK) ||
		(err = get(command, command->url, trust, &text)) != OK ||
		(err = read_list(command, text, strlen(text), &list)) != OK ||
		(err = get(command, signature_path(command, command->url, list_is_old(list)), trust,
			 &signature)) != OK ||
		(err = check(command, text, strlen(text), list_is_old(list), signature)) != OK ||
		(err = check_rollback(command, list)) != OK ||
		(err = file_replace(command->file, text, &command->fault)) != OK ||
		(err = file_replace(signature_path(command, command->file, list_is_old(list)),
			 signature, &command->fault)) != OK)
		return err;
	printf("%s %" PRId64 "\n", list_is_old(list) ? "seq" : "v", list_number(list));
	return OK;
}

/* ---- the command ---- */

static err_t run(struct command *command)
{
	static const struct {
		const char *name;
		err_t (*run)(struct command *command);
	} actions[] = { { "key", make_key }, { "sign", sign }, { "verify", verify },
		{ "fetch", fetch } };

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (strcmp(actions[i].name, command->action) == 0)
			return actions[i].run(command);
	return fault_set(&command->fault, ERR_INVALID_ARGUMENT, "ACTION",
		"expected one of: key, sign, verify, fetch");
}

int command_instances(int argc, char **argv)
{
	AUTO_ARENA arena = arena_create();
	struct command command = { .arena = arena };
	const struct option_word words[] = { { "ACTION", &command.action }, { NULL, NULL } };
	const struct option_row rows[] = {
		{ "list", "FILE", "the list (JSON)", &command.file, NULL },
		{ "key", "FILE", "the secret key", &command.key, NULL },
		{ "public", "KEY", "the public key, in Base64 or minisign's form", &command.public,
			NULL },
		{ "url", "URL", "where the list is fetched from", &command.url, NULL },
		{ "trust", "FILE", "certificates to trust beside the system's (PEM)",
			&command.trust, NULL },
		{ NULL, NULL, NULL, NULL, NULL },
	};
	const struct option_table table = {
		.command = "instances",
		.summary = "make, check and fetch signed lists of sites for VPN apps",
		.details = details,
		.words = words,
		.rows = rows,
	};
	int status;
	err_t err;

	if (!options_parse(&table, argc, argv, &status))
		return status;
	err = run(&command);
	if (err == OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "lanyard instances: %s: %s\n", command.fault.field, command.fault.detail);
	return err == ERR_INVALID_ARGUMENT ? EXIT_USAGE : EXIT_FAILURE;
}
