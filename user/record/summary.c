/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/summary.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "format/output_file.h"
#include "format/table_memory.h"
#include "format/table_processes.h"
#include "format/table_profile.h"
#include "format/table_summary.h"
#include "record/spool.h"

#define WHOLE_SITES	10 /* in each table of -v */
#define WHOLE_PROCESSES 20
#define NO_MEMORY	"(no memory for the summary)\n"

static struct table_view whole_view(void)
{
	return (struct table_view){WHOLE_SITES, table_view_columns(STDERR_FILENO), true};
}

/* What `print` prints, for the caller to free; NULL: no memory. */
static char *printed(const struct overview *overview,
		     void (*print)(const struct overview *overview, unsigned int columns, FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print(overview, table_view_columns(STDERR_FILENO), out);
	fclose(out);
	return text;
}

/* Keep what is said of the image that matters most. */
static void keep_text(struct summary *summary, const struct profile *profile)
{
	struct index_entry entry = index_entry_of(profile, NULL);
	u64 rank = index_entry_rank(&entry);
	struct overview overview;

	if (summary->text && (rank < summary->rank || !entry.samples))
		return;
	free(summary->text);
	free(summary->sites);
	summary->rank = rank;
	summary->text = summary->sites = NULL;
	if (!overview_make(profile, &overview)) {
		summary->text = printed(&overview, table_summary_print);
		summary->sites = printed(&overview, table_summary_print_sites);
	}
	overview_release(&overview);
}

void summary_add(struct summary *summary, const struct profile *profile)
{
	struct table_view view = whole_view();
	off_t kept = summary->spool ? ftello(summary->spool) : 0;

	if (summary->quiet)
		return;
	if (!summary->whole) {
		keep_text(summary, profile);
		return;
	}
	if (summary->spool)
		table_profile_print(profile, INUSE_SPACE, &view, summary->spool);
	if (!summary->spool || !spool_keep(summary->spool, kept))
		table_profile_print(profile, INUSE_SPACE, &view, stderr);
}

void summary_hold(struct summary *summary)
{
	if (!summary->spool && summary->whole && !summary->quiet)
		summary->spool = spool_open(summary->dir);
}

int summary_let_go(struct summary *summary)
{
	int err = summary->spool ? spool_print(summary->spool, stderr) : 0;

	summary->spool = NULL;
	return err;
}

/* A program that another one was exec'd from before it allocated anything: not worth a table. */
static bool is_prelude(const struct index_entry *entry)
{
	const struct profile *facts = entry->facts;

	return facts->exited && !facts->exit.known && !entry->samples && !ledger_losses(facts->ledger).kinds;
}

static u32 count_shown(const struct index_table *processes)
{
	u32 count = 0;

	for (u32 i = 0; i < processes->count; i++)
		count += !is_prelude(&processes->entries[i]);
	return count;
}

static void print_text(const struct summary *summary, const struct aggregate_result *result)
{
	const unsigned int columns = table_view_columns(STDERR_FILENO);
	struct overview all = {0};
	struct table_summary several = {
		.entries = result->processes.entries,
		.count = result->processes.count,
		.group = summary->group,
		.all = summary->merges ? &all : NULL,
		.sites = summary->sites,
		.growing = result->growing,
		.growing_sites = result->growing_sites,
	};

	if (!summary->merges && count_shown(&result->processes) <= 1) {
		fputs(summary->text ? summary->text : NO_MEMORY, stderr);
		return;
	}
	if (several.all && overview_make(result->all, &all))
		fputs(NO_MEMORY, stderr);
	else
		table_summary_print_several(&several, columns, stderr);
	if (several.all)
		overview_release(&all);
}

void summary_print(const struct summary *summary, const struct aggregate_result *result)
{
	struct table_view view = whole_view();
	const struct index_table *processes = &result->processes;

	if (summary->quiet)
		return;
	if (!summary->whole) {
		print_text(summary, result);
		return;
	}
	if (!summary->merges) /* each has been printed */
		return;
	table_processes_print(processes->entries, processes->count, WHOLE_PROCESSES, stderr);
	table_memory_print_group(summary->group, &result->all->memory, stderr);
	fputc('\n', stderr);
	table_profile_print(result->all, INUSE_SPACE, &view, stderr);
	table_processes_print_losses(processes->entries, processes->count, WHOLE_PROCESSES, stderr);
}

/* The file that go tool pprof is to open: of all processes, else the first there is. NULL: none is a .pb.gz. */
static const char *find_pprof(const struct index_table *table)
{
	const char *found = NULL;

	for (u32 i = 0; i < table->count; i++)
		for (char *const *file = table->entries[i].files; *file; file++) {
			size_t length = strlen(*file);

			if (length > 6 && !strcmp(*file + length - 6, ".pb.gz") &&
			    strncmp(*file, OUTPUT_FILE_MAPPINGS, strlen(OUTPUT_FILE_MAPPINGS)) != 0 &&
			    (!found || !strcmp(*file, OUTPUT_FILE_OF_ALL)))
				found = *file;
		}
	return found;
}

void summary_say_next(const struct aggregate_result *result, const char *path)
{
	const char *file = find_pprof(&result->merged);

	file = file ? file : find_pprof(&result->processes);
	if (!file)
		return;
	log_note("all tables: heaptap report %s", path);
	log_note("graph:      go tool pprof %s/%s", path, file);
}

void summary_release(struct summary *summary)
{
	if (summary->spool)
		fclose(summary->spool);
	free(summary->text);
	free(summary->sites);
}
