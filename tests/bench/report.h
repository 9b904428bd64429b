/*
 * report: the table that a benchmark prints, and the same as JSON for whoever follows the figures.
 * One row is one figure of ours beside a peer's of the same run, and what was to be reached.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct report_row {
	const char *name;
	const char *unit;
	double ours;
	const char *peer;
	double theirs;
	double goal;
	bool more_is_better;
};

static bool report_met(const struct report_row *row)
{
	return row->more_is_better ? row->ours >= row->goal : row->ours <= row->goal;
}

static void report_table(const struct report_row *rows, size_t n)
{
	printf("%-24s %-8s %12s %12s %12s  %s\n", "case", "unit", "ours", "peer", "goal", "met");
	for (size_t i = 0; i < n; i++)
		printf("%-24s %-8s %12.1f %12.1f %12.1f  %s (%s)\n", rows[i].name, rows[i].unit,
			rows[i].ours, rows[i].theirs, rows[i].goal,
			report_met(&rows[i]) ? "yes" : "no", rows[i].peer);
}

/* Opens what the report is written to: the file of the first argument, or build/bench/NAME.json. */
static FILE *report_open(int argc, char **argv, const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "build/bench/%s.json", name);
	if (argc < 2 && (mkdir("build", 0777) == 0 || errno == EEXIST))
		mkdir("build/bench", 0777);
	file = fopen(argc > 1 ? argv[1] : path, "we");
	if (file == NULL) {
		perror(argc > 1 ? argv[1] : path);
		exit(EXIT_FAILURE);
	}
	return file;
}

/* Names in the rows are ours: no character of them needs an escape. Closes the file. */
static void report_json(const struct report_row *rows, size_t n, FILE *file)
{
	fprintf(file, "[\n");
	for (size_t i = 0; i < n; i++)
		fprintf(file,
			"  {\"case\": \"%s\", \"unit\": \"%s\", \"ours\": %.1f, "
			"\"peers\": {\"%s\": %.1f}, \"goal\": %.1f, \"met\": %s}%s\n",
			rows[i].name, rows[i].unit, rows[i].ours, rows[i].peer, rows[i].theirs,
			rows[i].goal, report_met(&rows[i]) ? "true" : "false",
			i + 1 < n ? "," : "");
	fprintf(file, "]\n");
	if (fclose(file) != 0) {
		perror("report");
		exit(EXIT_FAILURE);
	}
}
