/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/python_tables.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "system/injection.h"
#include "system/proc_maps.h"
#include "system/process_memory.h"
#include "trace/injected.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define PATIENCE_NS 5000000000ULL /* for a moment that is right, from the mapping on */

static bool is_left_alone(const struct binary *file)
{
	return file->python_left.table_count;
}

static bool find_interpreter(const struct tracer *tracer, const struct image *image, struct python_tables *tables)
{
	for (u32 i = address_map_count(image->mappings); i-- > 0;) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		for (const struct binary *file = binaries_files(tracer->binaries); file; file = file->next)
			if (file->elf == mapping->elf && python_pointers_find(file, mapping, &tables->pointers)) {
				tables->file = file;
				return true;
			}
	}
	return false;
}

static bool has_entries(const struct pymalloc *pymalloc)
{
	for (unsigned int i = 0; i < PYMALLOC_FUNCTIONS; i++)
		if (!pymalloc->entries[i])
			return false;
	return true;
}

static void give_up(struct tracee *tracee, struct image *image, const char *why)
{
	tracee->python.until_ns = 0;
	image->ledger[COUNTER_FUNCTIONS_UNSEEN]++;
	log_note(
		"pid %d: of Python's objects of up to 512 bytes only a part is seen, as the interpreter runs copies of its allocator's "
		"code and cannot be made to call it: %s; PYTHONMALLOC=malloc at its start shows all",
		tracee->pid, why);
}

static void say_turned(struct tracee *tracee, struct image *image, u64 stopped_ns)
{
	struct python_tables *tables = &tracee->python;

	tables->turned = true;
	tables->until_ns = 0;
	if (!tables->executed_ns) {
		log_note(
			"pid %d: Python's allocator is called for every object from now on, where the interpreter ran copies of its code; "
			"all threads stood still for %.2f ms",
			tracee->pid, (double)stopped_ns / 1e6);
		return;
	}
	image->ledger[COUNTER_FILES_LATE]++;
	log_note(
		"pid %d: of the objects of up to 512 bytes that Python made in its first %.1f ms only a part is seen; from now on, all",
		tracee->pid, (double)(clock_now_ns() - tables->executed_ns) / 1e6);
}

static void say_stays(pid_t pid, int err)
{
	log_note("pid %d: Python's allocator stays called for every object, which costs it some nanoseconds each: %s",
		 pid, injection_refusal(err));
}

/* What a heaptap that was killed has left where this one has no use for it. True: it is to be asked again. */
static bool give_back(struct tracee *tracee, const struct python_pointers *pointers)
{
	u32 counts[PYTHON_POINTER_STATES];
	int err = python_pointers_count(tracee->pid, pointers, counts);

	if (err || !counts[PYTHON_POINTER_TURNED])
		return false;
	err = python_pointers_turn(tracee->pid, pointers, true, NULL);
	if (err && err != -ESRCH && clock_now_ns() < tracee->python.until_ns)
		return true;
	if (!err)
		log_note("pid %d: Python's tables are as they were before a heaptap that was killed", tracee->pid);
	else if (err != -ESRCH)
		say_stays(tracee->pid, err);
	return false;
}

/* True: it is to be asked again. */
static bool look_at(struct tracer *tracer, struct tracee *tracee, struct image *image)
{
	struct python_tables *tables = &tracee->python;
	u32 counts[PYTHON_POINTER_STATES];
	u64 stopped_ns = 0;
	int err;

	if (!find_interpreter(tracer, image, tables))
		return false;
	if (is_left_alone(tables->file))
		return give_back(tracee, &tables->pointers);
	if (!tracee_has(tracer, tracee, tables->file))
		return clock_now_ns() < tables->until_ns;
	if (!has_entries(tables->pointers.pymalloc)) {
		give_up(tracee, image, "there is no padding before the functions");
		return false;
	}
	err = python_pointers_count(tracee->pid, &tables->pointers, counts);
	if (err == -ESRCH || err == -ENOENT)
		return false;
	if (!err && counts[PYTHON_POINTER_TURNED]) {
		tables->turned = true;
		if (!counts[PYTHON_POINTER_DEFAULT])
			return false;
	}
	/* The loader may not have been there yet; else they are somebody else's. */
	if (!err && !counts[PYTHON_POINTER_DEFAULT])
		return clock_now_ns() < tables->until_ns;
	err = err ? err : python_pointers_turn(tracee->pid, &tables->pointers, false, &stopped_ns);
	if (!err)
		say_turned(tracee, image, stopped_ns);
	else if (err == -ESRCH)
		return false;
	else if (err != PROCESS_MEMORY_FOREIGN && clock_now_ns() < tables->until_ns)
		return true;
	else
		give_up(tracee, image, injection_refusal(err));
	return false;
}

struct starting {
	const struct tracer *tracer;
	struct python_pointers pointers; /* pymalloc NULL: its interpreter is not mapped yet */
};

static int find_started(struct mapping *mapping, void *arg)
{
	struct starting *starting = arg;

	for (const struct binary *file = binaries_files(starting->tracer->binaries); file; file = file->next)
		if (!is_left_alone(file) && elf_inode(file->elf) == mapping->inode &&
		    elf_device(file->elf) == mapping->device &&
		    python_pointers_find(file, mapping, &starting->pointers))
			return 1;
	return 0;
}

int python_tables_start(const struct tracer *tracer, pid_t pid)
{
	struct starting starting = {.tracer = tracer};
	u32 counts[PYTHON_POINTER_STATES];
	int memory, err = proc_maps_for_each(pid, find_started, &starting);

	if (err <= 0)
		return err < 0;
	if (!has_entries(starting.pointers.pymalloc))
		return 1;
	err = python_pointers_count(pid, &starting.pointers, counts);
	if (err || !counts[PYTHON_POINTER_DEFAULT])
		return err < 0;
	memory = process_memory_open(pid, O_RDWR);
	if (memory < 0)
		return 1;
	python_pointers_write(memory, &starting.pointers, false);
	close(memory);
	return 1;
}

void python_tables_executed(struct tracee *tracee, u64 time_ns)
{
	tracee->python = (struct python_tables){.executed_ns = time_ns};
}

void python_tables_due(struct tracer *tracer, struct tracee *tracee)
{
	tracee->python.until_ns = clock_now_ns() + PATIENCE_NS;
	if (tracee->python_due)
		return;
	tracee->python_due = true;
	tracee->python_next = tracer->python_due;
	tracer->python_due = tracee;
}

void python_tables_look(struct tracer *tracer)
{
	for (struct tracee **link = &tracer->python_due; *link;) {
		struct tracee *tracee = *link;
		struct image *image = tracee->python.until_ns ? tracee_image(tracer, tracee) : NULL;

		if (image && !tracer->stopping && look_at(tracer, tracee, image)) {
			link = &tracee->python_next;
			continue;
		}
		tracee->python.until_ns = 0;
		tracee->python_due = false;
		*link = tracee->python_next;
	}
}

void python_tables_restore(struct tracee *tracee)
{
	struct python_tables *tables = &tracee->python;
	struct patience patience = {.pid = tracee->pid, .until_ns = clock_now_ns() + PATIENCE_NS};
	int err;

	if (!tables->turned)
		return;
	tables->turned = false;
	/* On a busy machine a thread may take long to stop, which says nothing of the next try. */
	do {
		patience.stops_in_vain = 0;
		err = python_pointers_turn(tracee->pid, &tables->pointers, true, NULL);
	} while (injected_try_again(&patience, err));
	if (err && err != -ESRCH)
		say_stays(tracee->pid, err);
}
