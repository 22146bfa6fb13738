/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer target: any bytes as the index.json of a recording, and all that is made of it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "format/index_read.h"
#include "format/table_processes.h"
#include "scratch.h"
#include "view/population.h"

static void check(const struct index_table *table)
{
	for (u32 i = 0; i < table->count; i++) {
		const struct index_entry *entry = &table->entries[i];

		if (!entry->facts)
			abort();
		for (enum measure measure = 0; measure < MEASURE_MAX; measure++)
			if (entry->total[measure] > 1ull << 53 || entry->stderr_total[measure] < 0)
				abort();
		for (char *const *file = entry->files; file && *file; file++)
			if (!strlen(*file))
				continue;
	}
}

static void show(const struct index_table *table)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	table_processes_print(table->entries, table->count, 10, out);
	table_processes_print_losses(table->entries, table->count, 10, out);
	if (fclose(out))
		abort();
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			abort();
	free(text);
}

static void read_all(const cJSON *index)
{
	struct index_table table = {0}, merged = {0};
	struct profile *profile = calloc(1, sizeof(*profile));
	struct population population;
	struct recording head;

	if (!profile || index_table_read(index, &table) || index_merged_read(index, &merged))
		abort();
	check(&table);
	check(&merged);
	index_table_sort(&table);
	show(&table);
	population_sum(table.entries, table.count, &population);
	index_head_read(index, &head);
	index_is_population(index);
	index_merged_has_file(index, "all.pb.gz");
	index_complete(index, "500.program.pb.gz", profile);
	profile_free(profile);
	index_table_release(&table);
	index_table_release(&merged);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	cJSON *index;

	log_level(-1);
	scratch_write("index.json", data, size);
	index = index_read(scratch());
	if (index)
		read_all(index);
	cJSON_Delete(index);
	return 0;
}
