/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "strace_log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE	      4096ULL
#define THREADS_MAX   4096
#define PROCESSES_MAX 1024
#define CALL_MAX      4096

struct piece {
	uint64_t start, end, mapping, line;
};

struct process {
	pid_t pid;
	uint64_t brk; /* 0: not known */
	struct piece *pieces;
	size_t count;
	uint64_t mappings; /* born */
	struct strace_sums sums;
};

/* A call that another thread's line has come into. */
struct thread {
	pid_t tid;
	struct process *process;
	char call[CALL_MAX]; /* "munmap(0x7f..., 8192"; "": none */
	uint64_t entered;    /* its line */
};

struct strace_log {
	struct process processes[PROCESSES_MAX];
	struct thread threads[THREADS_MAX];
	size_t process_count, thread_count;
	uint64_t line;
};

static uint64_t page_up(uint64_t bytes)
{
	return (bytes + PAGE - 1) & ~(PAGE - 1);
}

/* --- the model ------------------------------------------------------------------------------------------------------ */

static void add_piece(struct process *process, struct piece piece)
{
	if (!(process->count & (process->count - 1))) {
		process->pieces = realloc(process->pieces, (2 * process->count + 1) * sizeof(piece));
		assert_non_null(process->pieces);
	}
	process->pieces[process->count++] = piece;
}

static void clear(struct process *process, uint64_t start, uint64_t end, uint64_t before)
{
	for (size_t i = process->count; i > 0; i--) {
		struct piece piece = process->pieces[i - 1];

		if (piece.end <= start || piece.start >= end || piece.line > before)
			continue;
		process->pieces[i - 1] = process->pieces[process->count - 1];
		process->count--;
		if (piece.start < start)
			add_piece(process, (struct piece){piece.start, start, piece.mapping, piece.line});
		if (piece.end > end)
			add_piece(process, (struct piece){end, piece.end, piece.mapping, piece.line});
	}
}

static void map(struct process *process, uint64_t addr, uint64_t size, uint64_t line)
{
	size = page_up(size);
	if (!size)
		return;
	clear(process, addr, addr + size, UINT64_MAX);
	add_piece(process, (struct piece){addr, addr + size, ++process->mappings, line});
	process->sums.map_objects++;
	process->sums.map_space += size;
}

static void remap(struct process *process, const char *call, uint64_t addr, uint64_t entered, uint64_t line)
{
	uint64_t old_addr, old_size, size;

	assert_int_equal(sscanf(call, "mremap(%lx, %lu, %lu", &old_addr, &old_size, &size), 3);
	old_size = page_up(old_size);
	size = page_up(size);
	if (addr == old_addr && size <= old_size) {
		clear(process, addr + size, addr + old_size, entered);
		return;
	}
	if (!strstr(call, "MREMAP_DONTUNMAP"))
		clear(process, old_addr, old_addr + old_size, entered);
	map(process, addr, size, line);
}

static void set_break(struct process *process, uint64_t now, uint64_t entered, uint64_t line)
{
	uint64_t before = page_up(process->brk), after = page_up(now);

	if (process->brk && after > before)
		map(process, before, after - before, line);
	else if (process->brk)
		clear(process, after, before, entered);
	process->brk = now;
}

static void forget(struct process *process)
{
	free(process->pieces);
	*process = (struct process){.pid = process->pid};
}

/* --- the log -------------------------------------------------------------------------------------------------------- */

static struct process *process_new(struct strace_log *log, pid_t pid)
{
	assert_true(log->process_count < PROCESSES_MAX);
	log->processes[log->process_count] = (struct process){.pid = pid};
	return &log->processes[log->process_count++];
}

static bool makes(const struct thread *thread, const char *what)
{
	return (!strncmp(thread->call, "clone", 5) || !strncmp(thread->call, "fork", 4) ||
		!strncmp(thread->call, "vfork", 5)) &&
	       (!what || strstr(thread->call, what));
}

/* One that is new was made by whoever is within such a call. A child has its parent's heap, and what it maps before it executes a program counts
 * for its parent while it shares that one's memory. */
static struct thread *thread_of(struct strace_log *log, pid_t tid)
{
	struct thread *maker = NULL, *thread;

	for (size_t i = 0; i < log->thread_count; i++) {
		if (log->threads[i].tid == tid)
			return &log->threads[i];
		if (makes(&log->threads[i], NULL))
			maker = &log->threads[i];
	}
	assert_true(log->thread_count < THREADS_MAX);
	thread = &log->threads[log->thread_count++];
	*thread = (struct thread){.tid = tid};
	if (maker && (makes(maker, "CLONE_VM") || makes(maker, "vfork"))) {
		thread->process = maker->process;
	} else {
		thread->process = process_new(log, tid);
		thread->process->brk = maker ? maker->process->brk : 0;
	}
	return thread;
}

static void apply(struct strace_log *log, struct thread *thread, const char *call, uint64_t ret)
{
	struct process *process = thread->process;
	uint64_t addr, size;

	if (!strncmp(call, "mmap(", 5)) {
		assert_int_equal(sscanf(strchr(call, ',') + 1, "%lu", &size), 1);
		map(process, ret, size, log->line);
	} else if (!strncmp(call, "munmap(", 7)) {
		assert_int_equal(sscanf(call, "munmap(%lx, %lu", &addr, &size), 2);
		clear(process, addr, addr + page_up(size), thread->entered);
	} else if (!strncmp(call, "mremap(", 7)) {
		remap(process, call, ret, thread->entered, log->line);
	} else if (!strncmp(call, "brk(", 4)) {
		set_break(process, ret, thread->entered, log->line);
	} else if (!strncmp(call, "execve(", 7)) {
		if (process->pid != thread->tid)
			thread->process = process = process_new(log, thread->tid);
		forget(process);
	} else if (!strncmp(call, "shm", 3)) {
		fail_msg("a program of this test attaches shared memory, which the log does not tell the size of: %s",
			 call);
	}
	if (makes(thread, NULL))
		thread_of(log, (pid_t)ret);
}

/* "call(arguments) = result", failures but for brk's left out. */
static void finish(struct strace_log *log, struct thread *thread)
{
	char *result = thread->call, *next;
	uint64_t ret;

	while ((next = strstr(result + 1, " = ")))
		result = next;
	errno = 0;
	ret = strtoull(result + 3, NULL, 0);
	if (*result == ' ' && result[3] != '-' && result[3] != '?')
		apply(log, thread, thread->call, ret);
	thread->call[0] = '\0';
}

static void read_line(struct strace_log *log, char *line)
{
	char *text, *unfinished = strstr(line, " <unfinished ...>"), *resumed;
	struct thread *thread = thread_of(log, (pid_t)strtol(line, &text, 10));

	log->line++;
	line[strcspn(line, "\n")] = '\0';
	while (*text == ' ')
		text++;
	if (!strncmp(text, "+++", 3) || !strncmp(text, "---", 3))
		return;
	resumed = strstr(text, " resumed>");
	if (resumed && !strncmp(text, "<...", 4)) {
		strncat(thread->call, resumed + strlen(" resumed>"), sizeof(thread->call) - strlen(thread->call) - 1);
		finish(log, thread);
		return;
	}
	if (unfinished)
		*unfinished = '\0';
	thread->entered = log->line;
	snprintf(thread->call, sizeof(thread->call), "%s", text);
	if (!unfinished)
		finish(log, thread);
}

struct strace_log *strace_log_read(const char *path)
{
	struct strace_log *log = calloc(1, sizeof(*log));
	FILE *file = fopen(path, "r");
	size_t size = 0;
	char *line = NULL;

	assert_non_null(log);
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	while (getline(&line, &size, file) > 0)
		read_line(log, line);
	free(line);
	fclose(file);
	return log;
}

void strace_log_free(struct strace_log *log)
{
	for (size_t i = 0; i < log->process_count; i++)
		free(log->processes[i].pieces);
	free(log);
}

/* Each mapping once, however many pieces are left of it. */
static uint64_t count_mappings(const struct process *process)
{
	char *seen = calloc(process->mappings + 1, 1);
	uint64_t count = 0;

	assert_non_null(seen);
	for (size_t i = 0; i < process->count; i++) {
		count += !seen[process->pieces[i].mapping];
		seen[process->pieces[i].mapping] = 1;
	}
	free(seen);
	return count;
}

int strace_log_sums(const struct strace_log *log, pid_t pid, struct strace_sums *ret_sums)
{
	for (size_t i = 0; i < log->process_count; i++) {
		const struct process *process = &log->processes[i];

		if (process->pid != pid || !process->mappings)
			continue;
		*ret_sums = process->sums;
		ret_sums->mapped_objects = count_mappings(process);
		for (size_t piece = 0; piece < process->count; piece++)
			ret_sums->mapped_space += process->pieces[piece].end - process->pieces[piece].start;
		return 1;
	}
	return 0;
}
