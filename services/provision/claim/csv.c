/* csv: see csv.h. libcsv calls back for each field and at the end of each row. */
#include "services/provision/claim/csv.h"

#include "lib/check.h"
#include "lib/utf8.h"
#include "services/provision/claim/code.h"
#include "services/provision/portal_serial.h"

#include <csv.h>

#include <string.h>

#define FIELD_MAX 256

enum column { SERIAL, NAME, NETWORK, LEGACY, APPROVE, CODE, N_COLUMNS };

static const char *const names[N_COLUMNS] = { "serial", "name", "network", "legacy", "approve",
	"code" };

struct reader {
	struct call *call;
	struct csv_list *list;
	enum column columns[N_COLUMNS]; /* of the header */
	size_t n_columns, n_fields;	/* n_fields: of this row so far */
	const char *fields[N_COLUMNS];	/* by column */
	unsigned row;
	const char *broken; /* what is wrong with the whole */
};

/* ---- one row ---- */

static void refuse_row(struct csv_row *row, const char *field, const char *detail)
{
	if (row->field != NULL)
		return;
	row->field = field;
	row->detail = detail;
}

static bool read_bool(struct csv_row *row, enum column column, const char *text, bool otherwise)
{
	if (*text == '\0')
		return otherwise;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		refuse_row(row, names[column], "expected true, false or nothing");
	return strcmp(text, "true") == 0;
}

/* The library's checks say what they expected in the call's fault. */
static void check(struct call *call, struct csv_row *row, enum column column, const char *text,
	err_t (*checker)(struct call *call, const char *field, const char *text))
{
	if (*text != '\0' && checker(call, names[column], text) != OK)
		refuse_row(row, names[column], arena_strdup(call->arena, call->fault.detail));
}

static void read_row(struct reader *reader, struct csv_row *row)
{
	const char *const *fields = reader->fields;

	row->serial = fields[SERIAL];
	row->name = fields[NAME];
	row->network = fields[NETWORK];
	row->code = fields[CODE];
	if (!portal_serial_valid(row->serial)) {
		row->serial = "";
		refuse_row(row, names[SERIAL],
			"expected 1 to 64 letters, digits and ._-, the first one no mark");
	}
	check(reader->call, row, NAME, row->name, check_label);
	check(reader->call, row, NETWORK, row->network, check_uuid);
	row->legacy = read_bool(row, LEGACY, fields[LEGACY], false);
	row->approve = read_bool(row, APPROVE, fields[APPROVE], true);
	if (*row->code != '\0' && strcmp(row->code, "new") != 0 &&
		claim_code_digest(reader->call->arena, row->serial, row->code) == NULL)
		refuse_row(row, names[CODE],
			"expected new, nothing, or 16 letters and digits of base 32");
}

/* ---- what libcsv tells ---- */

static void read_header(struct reader *reader, const char *name)
{
	for (enum column column = 0; column < N_COLUMNS; column++) {
		if (strcmp(names[column], name) != 0)
			continue;
		for (size_t i = 0; i < reader->n_columns; i++)
			if (reader->columns[i] == column)
				reader->broken = "a column is there twice";
		if (reader->broken == NULL)
			reader->columns[reader->n_columns++] = column;
		return;
	}
	reader->broken = "expected the columns serial, name, network, legacy, approve and code in "
			 "the first row, and no others";
}

static void on_field(void *bytes, size_t len, void *context)
{
	struct reader *reader = context;
	const char *text = arena_strndup(reader->call->arena, bytes, len);

	if (reader->broken != NULL)
		return;
	if (reader->row == 0)
		read_header(reader, text);
	else if (reader->n_fields < reader->n_columns && len <= FIELD_MAX)
		reader->fields[reader->columns[reader->n_fields]] = text;
	reader->n_fields += len <= FIELD_MAX ? 1 : N_COLUMNS + 1;
}

static void end_header(struct reader *reader)
{
	for (size_t i = 0; i < reader->n_columns; i++)
		if (reader->columns[i] == SERIAL)
			return;
	if (reader->broken == NULL)
		reader->broken = "expected a column serial";
}

static void end_row(struct reader *reader)
{
	struct csv_row *row = &reader->list->rows[reader->list->n];

	if (reader->list->n == CSV_ROWS_MAX) {
		reader->broken = "expected at most 2000 rows: send the list in parts";
		return;
	}
	reader->list->n++;
	*row = (struct csv_row){ .row = reader->row + 1 };
	if (reader->n_fields != reader->n_columns)
		refuse_row(row, "row",
			"expected as many fields as the first row has, each of at "
			"most 256 bytes");
	read_row(reader, row);
}

static void on_row(int end, void *context)
{
	struct reader *reader = context;

	(void)end;
	if (reader->broken == NULL && reader->row == 0)
		end_header(reader);
	else if (reader->broken == NULL && reader->n_fields > 0)
		end_row(reader);
	reader->row++;
	reader->n_fields = 0;
	for (size_t i = 0; i < N_COLUMNS; i++)
		reader->fields[i] = "";
}

/* ---- the whole ---- */

static void parse(struct reader *reader, const void *bytes, size_t len)
{
	struct csv_parser parser;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		BUG("csv_init");
	if (csv_parse(&parser, bytes, len, on_field, on_row, reader) != len ||
		csv_fini(&parser, on_field, on_row, reader) != 0)
		reader->broken = arena_printf(reader->call->arena,
			"row %u: a quote is where none may be, or is never closed",
			reader->row + 1);
	csv_free(&parser);
}

err_t csv_list_read(struct call *call, const void *bytes, size_t len, struct csv_list *list)
{
	struct reader reader = { .call = call, .list = list };

	for (size_t i = 0; i < N_COLUMNS; i++)
		reader.fields[i] = "";
	if (len == 0)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csv",
			"expected a first row with the names of the columns");
	list->n = 0;
	list->rows = arena_alloc(call->arena, CSV_ROWS_MAX * sizeof(*list->rows));
	if (memchr(bytes, '\0', len) != NULL || !utf8_valid(bytes, len))
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csv", "expected text in UTF-8");
	parse(&reader, bytes, len);
	if (reader.row == 0 && reader.broken == NULL)
		reader.broken = "expected a first row with the names of the columns";
	if (reader.broken != NULL)
		return call_refuse(call, ERR_INVALID_ARGUMENT, "csv", "%s", reader.broken);
	call->fault = (struct fault){ 0 }; /* those of rows are in the rows */
	return OK;
}
