/* import: the rpc that adds a list of expected devices. */
#include "services/provision/claim/claims.h"

#include "services/provision/audit/audit.h"
#include "services/provision/claim/code.h"
#include "services/provision/claim/csv.h"
#include "services/provision/claim/store_claim.h"

#include <string.h>

struct import {
	struct csv_list list;
	Provision__ImportReport *report;
	const struct csv_row *rows[CSV_ROWS_MAX]; /* to be added */
	const char *codes[CSV_ROWS_MAX];	  /* and their digests */
	size_t n;
};

static int by_serial(const void *one, const void *other)
{
	const struct csv_row *const *a = one, *const *b = other;
	int order = strcmp((*a)->serial, (*b)->serial);

	return order != 0 ? order : ((*a)->row > (*b)->row) - ((*a)->row < (*b)->row);
}

/* Of two rows with one serial the first one counts. */
static void refuse_twins(struct call *call, struct csv_list *list)
{
	struct csv_row **sorted = arena_alloc(call->arena, (list->n + 1) * sizeof(*sorted));

	for (size_t i = 0; i < list->n; i++)
		sorted[i] = &list->rows[i];
	qsort(sorted, list->n, sizeof(*sorted), by_serial);
	for (size_t i = 1; i < list->n; i++) {
		if (sorted[i]->field != NULL || *sorted[i]->serial == '\0' ||
			strcmp(sorted[i]->serial, sorted[i - 1]->serial) != 0)
			continue;
		sorted[i]->field = "serial";
		sorted[i]->detail = arena_printf(
			call->arena, "row %u has this serial already", sorted[i - 1]->row);
	}
}

/* The serials that are known already, sorted. */
static err_t find_known(struct call *call, const struct csv_list *list, struct db_rows **rows)
{
	char **serials = arena_alloc(call->arena, (list->n + 1) * sizeof(*serials));

	for (size_t i = 0; i < list->n; i++)
		serials[i] = (char *)(uintptr_t)list->rows[i].serial;
	return store_expected_known(call, list->n, serials, rows);
}

static bool is_known(const struct db_rows *known, const char *serial)
{
	for (size_t i = 0; i < db_count(known); i++)
		if (strcmp(db_text(known, i, "serial"), serial) == 0)
			return true;
	return false;
}

static const char *choose_code(
	struct call *call, const struct csv_row *row, Provision__ImportedRow *reported)
{
	const char *code = row->code;

	if (*code == '\0')
		return "";
	if (strcmp(code, "new") == 0)
		reported->code = (char *)(uintptr_t)(code = claim_code_new(call->arena));
	return claim_code_digest(call->arena, row->serial, code);
}

static void judge(struct call *call, struct import *import, const struct csv_row *row, bool known)
{
	Provision__ImportReport *report = import->report;
	Provision__ImportedRow *reported = arena_alloc(call->arena, sizeof(*reported));

	provision__imported_row__init(reported);
	report->rows[report->n_rows++] = reported;
	reported->row = row->row;
	reported->serial = (char *)(uintptr_t)row->serial;
	if (row->field != NULL) {
		reported->result = "refused";
		reported->field = (char *)(uintptr_t)row->field;
		reported->detail = (char *)(uintptr_t)row->detail;
		report->refused++;
	} else if (known) {
		reported->result = "exists";
		report->existing++;
	} else {
		reported->result = "created";
		report->created++;
		import->rows[import->n] = row;
		import->codes[import->n++] =
			report->dry_run ? "" : choose_code(call, row, reported);
	}
}

err_t import_devices(struct call *call, const Provision__ImportDevicesRequest *request,
	Provision__ImportReport *reply)
{
	struct import *import = arena_alloc(call->arena, sizeof(*import));
	AUTO_ROWS known = NULL;
	err_t err;

	import->report = reply;
	import->n = 0;
	reply->dry_run = request->dry_run;
	if ((err = csv_list_read(call, request->csv.data, request->csv.len, &import->list)) != OK)
		return err;
	refuse_twins(call, &import->list);
	if ((err = find_known(call, &import->list, &known)) != OK)
		return err;
	reply->rows = arena_alloc(call->arena, (import->list.n + 1) * sizeof(*reply->rows));
	for (size_t i = 0; i < import->list.n; i++)
		judge(call, import, &import->list.rows[i],
			is_known(known, import->list.rows[i].serial));
	if (request->dry_run || import->n == 0)
		return OK;
	if ((err = store_expected_add(call, import->n, import->rows, import->codes)) != OK)
		return err == ERR_ALREADY_EXISTS ? ERR_ABORTED : err; /* added meanwhile: again */
	return AUDIT(call, "devices.expected",
		.after = arena_printf(call->arena, "%zu devices", import->n));
}
