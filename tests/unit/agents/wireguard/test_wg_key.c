/* wg_key: a key is made once, and is one that wg takes. */
#include "agents/wireguard/wg_key.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/lanyard-key-XXXXXX";
static char path[64];

static void make_dir(void)
{
	cr_assert(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/key", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

TestSuite(wg_key, .init = make_dir, .fini = remove_dir);

Test(wg_key, is_made_once)
{
	struct wg_key first, again;
	struct fault fault;
	struct stat found;

	cr_assert(eq(int, wg_key_open(dir, &first, &fault), OK));
	cr_assert(eq(int, wg_key_open(dir, &again, &fault), OK));
	cr_expect(eq(str, first.secret, again.secret));
	cr_expect(eq(str, first.public, again.public));
	cr_assert(eq(int, stat(path, &found), 0));
	cr_expect(eq(int, found.st_mode & 0777, 0600));
}

static void write_key(const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert(file != NULL);
	fputs(text, file);
	fclose(file);
}

/* The key pair of Alice, RFC 7748 section 6.1. */
Test(wg_key, its_public_half)
{
	struct wg_key key;
	struct fault fault;

	write_key("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
	cr_assert(eq(int, wg_key_open(dir, &key, &fault), OK));
	cr_expect(eq(str, key.public, "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="));
}

Test(wg_key, what_is_kept_may_be_none)
{
	struct wg_key key;
	struct fault fault;

	write_key("not a key");
	cr_expect(eq(int, wg_key_open(dir, &key, &fault), ERR_INVALID_ARGUMENT));
}
