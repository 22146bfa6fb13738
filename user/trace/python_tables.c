/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/python_tables.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "binary/elf.h"
#include "system/interruption.h"
#include "system/injection.h"
#include "system/proc_maps.h"
#include "system/shared_memory.h"
#include "system/stopped_threads.h"
#include "trace/injected.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define LIMIT_NS    200000000ULL  /* that threads stand still while one of them does not stop */
#define PATIENCE_NS 5000000000ULL /* for a moment that is right, from the mapping on */

/* What a pointer of the tables is. */
enum state {
	STATE_DEFAULT, /* the function, as the file has it */
	STATE_TURNED,
	STATE_OTHER, /* somebody else's, or not written by the loader yet */
};

struct turning {
	const struct pymalloc *pymalloc;
	u64 moved_by;
	bool back;
};

static u64 address_of(const struct turning *turning, u32 table, unsigned int function)
{
	return turning->moved_by + turning->pymalloc->tables[table] + function * sizeof(u64);
}

static int read_state(int memory, const struct turning *turning, u32 table, unsigned int function,
		      enum state *ret_state)
{
	const struct pymalloc *pymalloc = turning->pymalloc;
	u64 value;
	ssize_t length = pread(memory, &value, sizeof(value), (off_t)address_of(turning, table, function));

	if (length != sizeof(value))
		return length < 0 ? -errno : -EIO;
	value -= turning->moved_by;
	*ret_state = value == pymalloc->functions[function] ? STATE_DEFAULT
		     : value == pymalloc->entries[function] ? STATE_TURNED
							    : STATE_OTHER;
	return 0;
}

/* One store of eight bytes, which begin at a multiple of eight. */
static int write_one(int memory, const struct turning *turning, u32 table, unsigned int function)
{
	const struct pymalloc *pymalloc = turning->pymalloc;
	u64 value = turning->moved_by + (turning->back ? pymalloc->functions : pymalloc->entries)[function];
	ssize_t length = pwrite(memory, &value, sizeof(value), (off_t)address_of(turning, table, function));

	if (length != sizeof(value))
		return length < 0 ? -errno : -EIO;
	interruption_point();
	return 0;
}

static int write_all(int memory, const struct turning *turning)
{
	enum state wanted = turning->back ? STATE_TURNED : STATE_DEFAULT, state;
	int err = 0;

	for (u32 i = 0; i < turning->pymalloc->table_count * PYMALLOC_FUNCTIONS && !err; i++) {
		err = read_state(memory, turning, i / PYMALLOC_FUNCTIONS, i % PYMALLOC_FUNCTIONS, &state);
		if (!err && state == wanted)
			err = write_one(memory, turning, i / PYMALLOC_FUNCTIONS, i % PYMALLOC_FUNCTIONS);
	}
	return err;
}

static int turn_all(struct stopped_threads *threads, void *arg)
{
	return write_all(threads->memory, arg);
}

/* How many pointers are of each state, while the process runs. 0 or negative errno. */
static int count_states(pid_t pid, const struct turning *turning, u32 ret_counts[STATE_OTHER + 1])
{
	char path[PATH_MAX];
	int memory = open(text_path(path, "/proc/%d/mem", pid), O_RDONLY | O_CLOEXEC), err = memory < 0 ? -errno : 0;
	enum state state = STATE_OTHER;

	memset(ret_counts, 0, (STATE_OTHER + 1) * sizeof(*ret_counts));
	for (u32 i = 0; i < turning->pymalloc->table_count * PYMALLOC_FUNCTIONS && !err; i++) {
		err = read_state(memory, turning, i / PYMALLOC_FUNCTIONS, i % PYMALLOC_FUNCTIONS, &state);
		if (!err)
			ret_counts[state]++;
	}
	if (memory >= 0)
		close(memory);
	return err;
}

static int turn(pid_t pid, struct turning *turning, u64 *ret_stopped_ns)
{
	/* A child that runs in its memory would not stop. */
	if (shared_memory_has_others(pid))
		return -EBUSY;
	return stopped_threads_do(pid, STOPPED_ALL, LIMIT_NS, turn_all, turning, ret_stopped_ns);
}

/* --- which processes ---------------------------------------------------------------------------------------------------------- */

static bool is_left_alone(const struct binary *file)
{
	return file->python_left.table_count;
}

/* NULL: it has none. */
static const struct pymalloc *pymalloc_of(const struct binary *file)
{
	if (is_left_alone(file))
		return &file->python_left;
	return file->plan && file->plan->pymalloc.table_count ? &file->plan->pymalloc : NULL;
}

/* Is it the mapping that has the functions' code? *ret_moved_by: the process's addresses less the file's. */
static bool is_interpreter(const struct binary *file, const struct mapping *mapping, u64 *ret_moved_by)
{
	const struct pymalloc *pymalloc = pymalloc_of(file);
	u64 vaddr = pymalloc ? pymalloc->functions[0] : 0, offset;

	if (!vaddr || elf_vaddr_to_offset(file->elf, vaddr, &offset) ||
	    offset - mapping->file_offset >= mapping->end - mapping->start)
		return false;
	*ret_moved_by = mapping->start + (offset - mapping->file_offset) - vaddr;
	return true;
}

static bool find_interpreter(const struct tracer *tracer, const struct image *image, struct python_tables *tables)
{
	for (u32 i = address_map_count(image->mappings); i-- > 0;) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		for (const struct binary *file = binaries_files(tracer->binaries); file; file = file->next)
			if (file->elf == mapping->elf && is_interpreter(file, mapping, &tables->moved_by)) {
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
static bool give_back(struct tracee *tracee, struct turning *turning)
{
	u32 counts[STATE_OTHER + 1];
	int err = count_states(tracee->pid, turning, counts);

	if (err || !counts[STATE_TURNED])
		return false;
	turning->back = true;
	err = turn(tracee->pid, turning, NULL);
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
	struct turning turning = {0};
	u32 counts[STATE_OTHER + 1];
	u64 stopped_ns = 0;
	int err;

	if (!find_interpreter(tracer, image, tables))
		return false;
	turning.pymalloc = pymalloc_of(tables->file);
	turning.moved_by = tables->moved_by;
	if (is_left_alone(tables->file))
		return give_back(tracee, &turning);
	if (!tracee_has(tracer, tracee, tables->file))
		return clock_now_ns() < tables->until_ns;
	if (!has_entries(turning.pymalloc)) {
		give_up(tracee, image, "there is no padding before the functions");
		return false;
	}
	err = count_states(tracee->pid, &turning, counts);
	if (err == -ESRCH || err == -ENOENT)
		return false;
	if (!err && counts[STATE_TURNED]) {
		tables->turned = true;
		if (!counts[STATE_DEFAULT])
			return false;
	}
	/* The loader may not have been there yet; else they are somebody else's. */
	if (!err && !counts[STATE_DEFAULT])
		return clock_now_ns() < tables->until_ns;
	err = err ? err : turn(tracee->pid, &turning, &stopped_ns);
	if (!err)
		say_turned(tracee, image, stopped_ns);
	else if (err == -ESRCH)
		return false;
	else if (clock_now_ns() < tables->until_ns)
		return true;
	else
		give_up(tracee, image, injection_refusal(err));
	return false;
}

struct starting {
	const struct tracer *tracer;
	struct turning turning; /* pymalloc NULL: its interpreter is not mapped yet */
};

static int find_started(struct mapping *mapping, void *arg)
{
	struct starting *starting = arg;

	for (const struct binary *file = binaries_files(starting->tracer->binaries); file; file = file->next)
		if (!is_left_alone(file) && elf_inode(file->elf) == mapping->inode &&
		    elf_device(file->elf) == mapping->device &&
		    is_interpreter(file, mapping, &starting->turning.moved_by)) {
			starting->turning.pymalloc = pymalloc_of(file);
			return 1;
		}
	return 0;
}

int python_tables_start(const struct tracer *tracer, pid_t pid)
{
	struct starting starting = {.tracer = tracer};
	u32 counts[STATE_OTHER + 1];
	char path[PATH_MAX];
	int memory, err = proc_maps_for_each(pid, find_started, &starting);

	if (err <= 0)
		return err < 0;
	if (!has_entries(starting.turning.pymalloc))
		return 1;
	err = count_states(pid, &starting.turning, counts);
	if (err || !counts[STATE_DEFAULT])
		return err < 0;
	memory = open(text_path(path, "/proc/%d/mem", pid), O_RDWR | O_CLOEXEC);
	if (memory < 0)
		return 1;
	write_all(memory, &starting.turning);
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
	tracer->python_due = true;
}

void python_tables_look(struct tracer *tracer)
{
	bool due = false;

	for (struct tracee *tracee = tracer->python_due ? tracer->tracees : NULL; tracee; tracee = tracee->hh.next) {
		struct image *image = tracee->python.until_ns ? tracee_image(tracer, tracee) : NULL;

		if (image && !tracer->stopping && look_at(tracer, tracee, image))
			due = true;
		else
			tracee->python.until_ns = 0;
	}
	tracer->python_due = due;
}

void python_tables_restore(struct tracee *tracee)
{
	struct python_tables *tables = &tracee->python;
	struct turning turning = {.back = true};
	struct patience patience = {.pid = tracee->pid, .until_ns = clock_now_ns() + PATIENCE_NS};
	int err;

	if (!tables->turned)
		return;
	tables->turned = false;
	turning.pymalloc = pymalloc_of(tables->file);
	turning.moved_by = tables->moved_by;
	/* On a busy machine a thread may take long to stop, which says nothing of the next try. */
	do {
		patience.stops_in_vain = 0;
		err = turn(tracee->pid, &turning, NULL);
	} while (injected_try_again(&patience, err));
	if (err && err != -ESRCH)
		say_stays(tracee->pid, err);
}
