/* manifest: what a signed text has to be, and each way in which it can be wrong. Signatures are
 * tested with the real portal (tests/e2e/test_packages.py). */
#include "agents/packages/manifest.h"

#include "lib/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#define TENANT "0199a000-0000-7000-8000-0000000000ff"
#define DEVICE "0199a000-0000-7000-8000-000000000001"
#define EMPTY                                                                                      \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* SHA-256 of ""        \
									    */
#define FILE_OF(name, size, digest)                                                                \
	"{\"name\":\"" name "\",\"size\":" size ",\"sha256\":\"" digest "\"}"

static const struct member {
	const char *name, *value;
} usual[] = {
	{ "version", "7" },
	{ "tenant", "\"" TENANT "\"" },
	{ "device", "\"" DEVICE "\"" },
	{ "package", "3" },
	{ "files", "[" FILE_OF("ca.crt", "0", EMPTY) "]" },
	{ "later", "{\"is\": [\"ignored\"]}" },
};

static const struct manifest_trust trust = { NULL, TENANT, DEVICE };

/* The usual text with another value of a member; NULL leaves it out. */
static err_t read_with(const struct member *other, struct manifest *manifest, struct fault *fault)
{
	char text[4096] = "{";

	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		const char *value = usual[i].value;

		if (other != NULL && strcmp(other->name, usual[i].name) == 0)
			value = other->value;
		if (value != NULL)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"%s\":%s",
				strlen(text) > 1 ? "," : "", usual[i].name, value);
	}
	strcat(text, "}");
	return manifest_read_text(manifest, text, &trust, fault);
}

Test(manifest, is_read)
{
	struct manifest manifest;
	struct fault fault = { 0 };

	cr_assert_eq(read_with(NULL, &manifest, &fault), OK, "%s", fault.detail);
	cr_expect_eq(manifest.version, 7);
	cr_expect_eq(manifest.package, 3);
	cr_expect_eq(manifest.n_files, 1);
	cr_expect_str_eq(manifest.files[0].name, "ca.crt");
	cr_expect_eq(strlen(manifest.digest), 64);
	cr_expect(manifest_fits(&manifest.files[0], "", 0));
	cr_expect_not(manifest_fits(&manifest.files[0], "a", 1));
}

Test(manifest, is_refused)
{
	static const struct member rows[] = {
		{ "version", NULL },
		{ "version", "0" },
		{ "version", "\"7\"" },
		{ "version", "7.5" },
		{ "version", "9007199254740993" },
		{ "tenant", "\"" DEVICE "\"" },
		{ "device", "\"" TENANT "\"" },
		{ "device", NULL },
		{ "package", "0" },
		{ "package", "-1" },
		{ "package", "4294967297" },
		{ "files", NULL },
		{ "files", "[]" },
		{ "files", "{}" },
		{ "files", "[7]" },
		{ "files", "[" FILE_OF("", "0", EMPTY) "]" },
		{ "files", "[" FILE_OF("../ca.crt", "0", EMPTY) "]" },
		{ "files", "[" FILE_OF("a/b", "0", EMPTY) "]" },
		{ "files", "[" FILE_OF("..", "0", EMPTY) "]" },
		{ "files", "[" FILE_OF(".new", "0", EMPTY) "]" },
		{ "files", "[" FILE_OF("a", "-1", EMPTY) "]" },
		{ "files", "[" FILE_OF("a", "65537", EMPTY) "]" },
		{ "files", "[" FILE_OF("a", "0", "e3b0") "]" },
		{ "files", "[" FILE_OF("a", "0", EMPTY) "," FILE_OF("a", "0", EMPTY) "]" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct manifest manifest;
		struct fault fault = { 0 };

		cr_expect_eq(
			read_with(&rows[i], &manifest, &fault), ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_expect(strstr(fault.detail, "expected") != NULL, "row %zu: %s", i, fault.detail);
	}
}

Test(manifest, of_17_files_is_refused)
{
	char list[4096] = "[";
	struct manifest manifest;

	for (int i = 0; i < 17; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list),
			"%s{\"name\":\"f%d\",\"size\":0,\"sha256\":\"" EMPTY "\"}",
			i > 0 ? "," : "", i);
	strcat(list, "]");
	cr_expect_eq(read_with(&(struct member){ "files", list }, &manifest, NULL),
		ERR_INVALID_ARGUMENT);
}

Test(manifest, without_all_its_parts_is_refused)
{
	static const char *const bodies[] = { "", "[]", "{}", "{\"manifest\":\"{}\"}",
		"{\"manifest\":\"{}\",\"signature\":\"\",\"chain\":\"\",\"trust\":\"\"}",
		"{\"manifest\":\"{}\",\"signature\":\"\",\"chain\":\"\",\"trust\":\"\",\"poll_s\":"
		"9}" };

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct manifest manifest;
		char *roots = NULL;

		cr_expect_eq(manifest_read(
				     &manifest, bodies[i], strlen(bodies[i]), &trust, &roots, NULL),
			ERR_INVALID_ARGUMENT, "row %zu", i);
		cr_expect_null(roots);
	}
}
