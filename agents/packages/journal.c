/* journal: see journal.h. */
#include "agents/packages/journal.h"

#include "agents/document.h"
#include "agents/state.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <string.h>

#define FILE_NAME "journal.json"

static const char *const phases[] = { "idle", "trying", "returning" };
static const char *const outcomes[] = { "", "applied", "failed" };

static bool take_word(const json_t *object, const char *member, const char *const words[], size_t n,
	unsigned *out)
{
	const char *text = json_string_value(json_object_get(object, member));

	for (size_t i = 0; text != NULL && i < n; i++)
		if (strcmp(text, words[i]) == 0) {
			*out = (unsigned)i;
			return true;
		}
	return false;
}

static bool take_number(const json_t *object, const char *member, uint32_t *out)
{
	const json_t *value = json_object_get(object, member);
	json_int_t number = json_integer_value(value);

	*out = (uint32_t)number;
	return json_is_integer(value) && number >= 0 && number <= INT32_MAX;
}

static bool read_journal(const json_t *object, struct journal *journal)
{
	const char *roots = json_string_value(json_object_get(object, "roots"));
	unsigned phase, outcome;

	if (!take_word(object, "phase", phases, ARRAY_LEN(phases), &phase) ||
		!take_word(object, "outcome", outcomes, ARRAY_LEN(outcomes), &outcome) ||
		!take_number(object, "package", &journal->package) ||
		!take_number(object, "good", &journal->good) ||
		!take_number(object, "attempts", &journal->attempts) ||
		!document_text(
			object, "digest", NULL, 0, journal->digest, sizeof(journal->digest)) ||
		!document_text(object, "reason", NULL, 0, journal->reason, sizeof(journal->reason)))
		return false;
	journal->newest = json_integer_value(json_object_get(object, "newest"));
	journal->phase = (enum journal_phase)phase;
	journal->outcome = (enum journal_outcome)outcome;
	journal->roots = roots != NULL ? xstrdup(roots) : NULL;
	return true;
}

err_t journal_load(struct journal *journal, const char *dir, struct fault *fault)
{
	AUTO_DOCUMENT object = NULL;
	err_t err = state_read_json(dir, FILE_NAME, &object, fault);

	*journal = (struct journal){ 0 };
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == OK && !read_journal(object, journal))
		err = fault_set(fault, ERR_DATA_LOSS, "",
			"%.120s/" FILE_NAME
			" is damaged: see which package is current, then remove the file",
			dir);
	return err;
}

err_t journal_save(const struct journal *journal, const char *dir, struct fault *fault)
{
	AUTO_DOCUMENT object = json_pack("{s:I, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:s*}", "newest",
		(json_int_t)journal->newest, "digest", journal->digest, "phase",
		phases[journal->phase], "package", (int)journal->package, "good",
		(int)journal->good, "attempts", (int)journal->attempts, "outcome",
		outcomes[journal->outcome], "reason", journal->reason, "roots", journal->roots);

	if (object == NULL)
		return fault_set(fault, ERR_INTERNAL, "", "the journal can't be written as JSON");
	return state_write_json(dir, FILE_NAME, object, fault);
}

void journal_finish(struct journal *journal)
{
	free(journal->roots);
	journal->roots = NULL;
}

err_t journal_check(
	const struct journal *journal, const struct manifest *manifest, struct fault *fault)
{
	if (manifest->version < journal->newest)
		return fault_set(fault, ERR_FAILED_PRECONDITION, "version",
			"the manifest is older (%" PRId64 ") than one that was taken (%" PRId64
			"): it is not gone back",
			manifest->version, journal->newest);
	if (manifest->version > journal->newest)
		return OK;
	if (strcmp(manifest->digest, journal->digest) != 0)
		return fault_set(fault, ERR_FAILED_PRECONDITION, "version",
			"there are two manifests of version %" PRId64 ": neither is taken again",
			manifest->version);
	return ERR_ALREADY_EXISTS;
}
