/* kite: signatures as clients of PageKite make them, and questions of any shape. */
#include "services/dns/kite.h"

#include "tests/unit/services/dns/sample_directory.h"

#include <criterion/criterion.h>

/* Made by the signToken of pagekite 1.5.2 with this secret. */
#define SECRET	  "11111111-2222-4333-8444-555555555555"
#define SALT	  "0123456789abcdef0123456789abcdef0123"
#define CHALLENGE "t0000001deadbeefdeadbeefdeadbeefdead"
#define SIGNATURE "89abcdef792ea98408eabbcf085e39276150"
#define NAME	  "fabrice.box.lanyard.test"

static const struct kite good = { "https", NAME, SALT, CHALLENGE, SIGNATURE };

Test(kite, a_signature)
{
	struct kite kite = good;

	cr_expect(kite_check(&good, SECRET));
	cr_expect_not(kite_check(&good, ""));
	cr_expect_not(kite_check(&good, "11111111-2222-4333-8444-555555555556"));
	kite.protocol = "http";
	cr_expect_not(kite_check(&kite, SECRET));
	kite = good;
	kite.name = "other.box.lanyard.test";
	cr_expect_not(kite_check(&kite, SECRET));
	kite = good;
	kite.challenge = "t0000002deadbeefdeadbeefdeadbeefdead";
	cr_expect_not(kite_check(&kite, SECRET));
	kite = good;
	kite.salt = "";
	cr_expect_not(kite_check(&kite, SECRET));
}

/* One cut or made longer at any place is wrong, whatever its length. */
Test(kite, signatures_of_any_length)
{
	static const char text[] = SIGNATURE "0";

	for (size_t len = 0; len < sizeof(text); len++) {
		char cut[sizeof(text)] = "";
		struct kite kite = good;

		memcpy(cut, text, len);
		kite.signature = cut;
		cr_expect_eq(kite_check(&kite, SECRET), len == 36, "%zu", len);
	}
}

Test(kite, too_much_to_sign)
{
	static char long_text[2000];
	struct kite kite = good;

	memset(long_text, 'a', sizeof(long_text) - 1);
	kite.salt = long_text;
	cr_expect_not(kite_check(&kite, SECRET));
}

#define ZONE "box.lanyard.test"

static const struct {
	const char *question, *want; /* "": no such record */
} rows[] = {
	{ SALT "." CHALLENGE "." SIGNATURE ".https." NAME "." ZONE, KITE_GOOD },
	{ SALT "." CHALLENGE "." SIGNATURE ".http." NAME "." ZONE, KITE_WRONG },
	{ SALT "." CHALLENGE ".short.https." NAME "." ZONE, KITE_WRONG },
	{ "a.b.c.d." NAME "." ZONE, KITE_WRONG },
	{ SALT "." CHALLENGE "." SIGNATURE ".https.nobody." ZONE "." ZONE, KITE_UNKNOWN },
	{ SALT "." CHALLENGE "." SIGNATURE ".https.silent." ZONE "." ZONE, KITE_UNKNOWN },
	{ "a.b.c.d.e.f.g.h." ZONE "." ZONE, KITE_UNKNOWN },
	{ "b.c.d." NAME "." ZONE, "" },
	{ "a.b.c." ZONE "." ZONE, "" },
	{ "a." ZONE "." ZONE, "" },
	{ ZONE "." ZONE, "" },
	{ "a.b.c.d.example.org." ZONE, "" },
	{ "a", "" },
};

static const char *answer(struct directory *directory, const char *question, struct arena *arena)
{
	struct records records;

	records_init(&records, arena, "ANY", 0);
	directory_lookup(directory, question, &records);
	return records.n == 1 && strcmp(records.items[0].type, "A") == 0 ? records.items[0].content
									 : "";
}

Test(kite, questions_of_front_ends)
{
	struct directory *directory = sample_directory();
	AUTO_ARENA arena = arena_create();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(answer(directory, rows[i].question, arena), rows[i].want, "%s",
			rows[i].question);
	directory_destroy(directory);
}

/* Labels of any number and length, up to what a name may have. */
Test(kite, questions_of_any_shape)
{
	struct directory *directory = sample_directory();
	AUTO_ARENA arena = arena_create();

	for (size_t len = 1; len < 253; len++)
		for (size_t label = 1; label < 70; label += 6) {
			char question[320];

			memset(question, 'a', len);
			for (size_t i = label; i < len; i += label + 1)
				question[i] = '.';
			strcpy(question + len, "." NAME "." ZONE);
			(void)answer(directory, question, arena);
		}
	directory_destroy(directory);
}
