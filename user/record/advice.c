/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/advice.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "binary/language_runtime.h"
#include "heap/go_profile.h"
#include "system/address_map.h"
#include "system/procfs.h"

#define MORE "; see docs/languages.md"

/* The program's own file comes first, and only that can be one of Go's. */
static const struct language_runtime *runtime_of(const struct image *image)
{
	const struct language_runtime *runtime = NULL;
	const struct elf *program = NULL;

	for (u32 i = 0; i < address_map_count(image->mappings) && !runtime; i++) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		program = program ? program : mapping->elf;
		runtime = mapping->path ? language_runtime_of_path(mapping->path) : NULL;
	}
	return runtime || !program ? runtime : language_runtime_of_program(program);
}

/* True when this process is the one to show. */
static bool take(struct advice_case *advice_case, const struct profile *profile, const struct language_runtime *runtime,
		 u64 bytes)
{
	advice_case->processes++;
	if (bytes <= advice_case->bytes)
		return false;
	advice_case->bytes = bytes;
	advice_case->runtime = runtime;
	snprintf(advice_case->who, sizeof(advice_case->who), "pid %u (%s)", profile->pid, profile->comm);
	return true;
}

/* --- a heap of the language's own --- */

/* As the summary compares them: the peaks of a process that has ended, for its last size is unknown. */
static void note_heap(struct advice *advice, const struct image *image, const struct profile *profile, u64 inuse_now)
{
	u64 resident = profile->exited ? profile->rss_peak_bytes : profile->rss_end_bytes;
	u64 inuse = profile->exited ? profile->peak_inuse_space : inuse_now;
	const struct language_runtime *runtime;

	if (go_reading_has_profile(image->go) || profile->alloc_only || resident < ADVICE_RESIDENT_MIN ||
	    (double)inuse >= ADVICE_MALLOC_SHARE * (double)resident)
		return;
	runtime = runtime_of(image);
	if (!runtime)
		return;
	if (!take(&advice->heap, profile, runtime, resident - inuse))
		return;
	advice->inuse = inuse;
	advice->resident = resident;
}

/* --- code without names --- */

/* Bytes allocated through it. */
struct unnamed {
	u64 all, compiled, stripped;
	const struct profile_mapping *file; /* that `stripped` is mostly of: the one of its heaviest sample */
	u64 heaviest;
};

static bool is_compiled(const struct profile *profile, const struct profile_location *location)
{
	const char *path = location->mapping == MAPPING_UNKNOWN ? NULL : profile->mappings[location->mapping].path;

	return !location->line_count && (!path || path[0] != '/' || procfs_is_memory(path));
}

/* A JIT compiler's frames count wherever they are; of those of files only the one that allocates. */
static void add_sample(const struct profile *profile, const struct profile_sample *sample, struct unnamed *unnamed)
{
	const struct profile_location *leaf = sample->depth ? &profile->locations[sample->location[0]] : NULL;
	u64 values[MEASURE_MAX];
	bool compiled = false;

	profile_sample_values(profile, sample, values);
	unnamed->all += values[ALLOC_SPACE];
	for (u32 i = 0; i < sample->depth && !compiled; i++)
		compiled = is_compiled(profile, &profile->locations[sample->location[i]]);
	if (compiled) {
		unnamed->compiled += values[ALLOC_SPACE];
	} else if (leaf && !leaf->line_count) {
		unnamed->stripped += values[ALLOC_SPACE];
		if (values[ALLOC_SPACE] > unnamed->heaviest) {
			unnamed->heaviest = values[ALLOC_SPACE];
			unnamed->file = &profile->mappings[leaf->mapping];
		}
	}
}

static unsigned int percent(u64 part, u64 all)
{
	return (unsigned int)(100.0 * (double)part / (double)all);
}

static void note_names(struct advice *advice, const struct image *image, const struct profile *profile,
		       const struct unnamed *unnamed)
{
	double least = ADVICE_UNNAMED_SHARE * (double)unnamed->all;

	if (unnamed->compiled && (double)unnamed->compiled >= least &&
	    take(&advice->compiled, profile, runtime_of(image), unnamed->compiled))
		advice->compiled_percent = percent(unnamed->compiled, unnamed->all);
	if (unnamed->stripped && (double)unnamed->stripped >= least &&
	    take(&advice->stripped, profile, runtime_of(image), unnamed->stripped)) {
		const char *slash = strrchr(unnamed->file->path, '/');

		advice->stripped_percent = percent(unnamed->stripped, unnamed->all);
		snprintf(advice->file, sizeof(advice->file), "%s", slash ? slash + 1 : unnamed->file->path);
	}
}

void advice_note(struct advice *advice, const struct image *image, const struct profile *profile)
{
	struct unnamed unnamed = {0};
	u64 totals[MEASURE_MAX];

	for (u32 i = 0; i < profile->sample_count; i++)
		add_sample(profile, &profile->samples[i], &unnamed);
	note_names(advice, image, profile, &unnamed);
	profile_totals(profile, totals);
	note_heap(advice, image, profile, totals[INUSE_SPACE]);
}

/* --- saying it --- */

/* " and N more" */
static const char *others(const struct advice_case *advice_case, char text[32])
{
	text[0] = '\0';
	if (advice_case->processes > 1)
		snprintf(text, 32, " and %u more", advice_case->processes - 1);
	return text;
}

void advice_say(const struct advice *advice)
{
	const struct language_runtime *compiler = advice->compiled.runtime, *stripped = advice->stripped.runtime;
	char more[32];

	if (advice->heap.processes)
		log_note("%s%s: as far as is known %s of %s resident came from malloc. It is %s: %s" MORE,
			 advice->heap.who, others(&advice->heap, more), units_bytes((double)advice->inuse).text,
			 units_bytes((double)advice->resident).text, advice->heap.runtime->name,
			 advice->heap.runtime->memory);
	if (advice->compiled.processes)
		log_note("%s%s: %u %% of the bytes come through compiled code without names; %s names it" MORE,
			 advice->compiled.who, others(&advice->compiled, more), advice->compiled_percent,
			 compiler && compiler->names ? compiler->names : "a compiler that writes /tmp/perf-PID.map");
	if (advice->stripped.processes)
		log_note("%s%s: %u %% of the bytes come from code of '%s' without names; its debug symbols (a package "
			 "-dbgsym, or DEBUGINFOD_URLS) name it%s%s%s" MORE,
			 advice->stripped.who, others(&advice->stripped, more), advice->stripped_percent, advice->file,
			 stripped && stripped->names ? ", " : "", stripped && stripped->names ? stripped->names : "",
			 stripped && stripped->names ? " the program's own functions" : "");
}
