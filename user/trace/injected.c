/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/injected.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "inline/examination.h"
#include "inline/running_sampler.h"
#include "system/procfs.h"
#include "system/shortage.h"
#include "trace/tracer_internal.h"

#define PATIENCE_NS		1000000000ULL
#define STOPS_IN_VAIN		2
#define STOPS_WITHOUT_PROCESSOR 8
#define TRIES_LEAST		4 /* however long each waited for a processor */
#define PAUSE_US		2000
#define LOOK_US			500 /* a share of the processor may be used up within milliseconds */
#define PROCESSES_MAX		64

static const struct mapping *mapping_of(const struct image *image, const struct elf *elf)
{
	for (unsigned int i = 0; i < address_map_count(image->mappings); i++) {
		const struct mapping *mapping = address_map_get(image->mappings, i);

		if (mapping->elf == elf)
			return mapping;
	}
	return NULL;
}

struct patience injected_be_patient(pid_t pid)
{
	return (struct patience){.pid = pid, .until_ns = clock_now_ns() + PATIENCE_NS};
}

/*
 * A thread can stop only on a processor. One whose control group has used up its share of this period gets none until the next begins: a
 * stop that is asked for before keeps the other threads from their work, and is over when it could succeed.
 */
static void wait_for_processor(pid_t pid)
{
	u64 had_ns = procfs_cpu_ns(pid), until_ns = clock_now_ns() + PATIENCE_NS;

	/* 0: it is gone. */
	while (had_ns && procfs_cpu_ns(pid) == had_ns && clock_now_ns() < until_ns)
		usleep(LOOK_US);
}

static u64 later(u64 one_ns, u64 other_ns)
{
	return one_ns > other_ns ? one_ns : other_ns;
}

bool injected_try_again(struct patience *patience, int err)
{
	if (!injection_may_pass(err))
		return false;
	if (err == -ETIME && ++patience->stops_without_processor >= STOPS_WITHOUT_PROCESSOR)
		return false;
	if (err == -ETIME) {
		wait_for_processor(patience->pid);
		/* How long that took says how busy the machine is, and nothing of the process. */
		patience->until_ns = later(patience->until_ns, clock_now_ns() + PATIENCE_NS);
		return true;
	}
	if (err == -ETIMEDOUT && ++patience->stops_in_vain >= STOPS_IN_VAIN)
		return false;
	return (++patience->tries < TRIES_LEAST || clock_now_ns() < patience->until_ns) && !usleep(PAUSE_US);
}

static int load(const struct tracer *tracer, pid_t pid, const struct mapping *mapping, struct injected_file *injected)
{
	struct sampler_settings settings = {
		.sample_bytes = tracer->inject_bytes,
		.memory_bytes = (u64)sysconf(_SC_PHYS_PAGES) * (u64)sysconf(_SC_PAGESIZE),
	};
	struct patience patience = injected_be_patient(pid);
	int err;

	if (getrandom(&settings.session, sizeof(settings.session), 0) < 0)
		return -errno;
	do {
		running_sampler_release(&injected->sampler);
		err = running_sampler_load(pid, mapping, injected->file->elf, injected->file->plan, &settings,
					   &injected->sampler);
	} while (!err && injected_try_again(&patience, injected->sampler.err));
	return err;
}

/* This comes before the start: from the first sample on, all are seen. */
static int link_sites(const struct tracer *tracer, struct injected_file *injected)
{
	injected->plan = *injected->file->plan;
	injected->plan.inlined = true;
	memcpy(injected->plan.sites, injected->sampler.sites, sizeof(injected->plan.sites));
	return attach_open(tracer->kind, kernel_programs(tracer->kernel), injected->sampler.file, &injected->plan, 0,
			   SCOPE_BY_PID, injected->file->allocator, tracer->leave_out, &injected->attach);
}

static void start(struct injected_file *injected)
{
	struct patience patience = injected_be_patient(injected->sampler.pid);

	while (!running_sampler_start(&injected->sampler) && injected_try_again(&patience, injected->sampler.err))
		;
}

static void say_stops(pid_t pid, const struct injected_file *injected)
{
	log_note(
		"pid %d: '%s' has the sampler%s, so that only samples trap; one thread stood still for %.2f ms, then all for %.2f ms",
		pid, elf_path(injected->file->elf), injected->sampler.adopted ? " of an earlier heaptap" : "",
		(double)injected->sampler.one_stopped_ns / 1e6, (double)injected->sampler.all_stopped_ns / 1e6);
}

void injected_say_stops(const struct injected *injected)
{
	for (const struct injected_file *file = injected->files; file; file = file->next)
		say_stops(injected->pid, file);
}

void injected_say_refused(pid_t pid, const struct binary *file, const char *reason)
{
	log_note("pid %d: '%s' keeps probes, whose every hit traps: %s", pid, elf_path(file->elf), reason);
}

static void release(struct injected_file *injected)
{
	if (injected->attach)
		attach_close(injected->attach);
	running_sampler_release(&injected->sampler);
	free(injected);
}

static int open_one(const struct tracer *tracer, pid_t pid, const struct image *image, struct injected_file *injected)
{
	const struct mapping *mapping = mapping_of(image, injected->file->elf);
	int err = mapping ? load(tracer, pid, mapping, injected) : -ESRCH;

	return err || *injected->sampler.reason ? err : link_sites(tracer, injected);
}

/* Whatever it is that cannot be done so, probes may do. */
static int refuse(pid_t pid, const struct injected_file *injected, int err, enum injected_load load)
{
	if (shortage_is(err))
		return err;
	if (load == INJECTED_LOAD_AGAIN && !err && injection_may_pass(injected->sampler.err))
		return -EBUSY;
	injected_say_refused(pid, injected->file, err ? strerror(-err) : injected->sampler.reason);
	return -ECANCELED;
}

/* Load it for one more file, and start it unless it is to wait for the others. */
static int add_file(const struct tracer *tracer, const struct image *image, struct injected *injected,
		    struct binary *file, enum injected_load load)
{
	struct injected_file *opened = calloc(1, sizeof(*opened));
	int err;

	if (!opened)
		return -ENOMEM;
	opened->file = file;
	opened->sampler.file = -1;
	err = open_one(tracer, injected->pid, image, opened);
	if (!err && !*opened->sampler.reason && load == INJECTED_LOAD_AND_START)
		start(opened);
	if (err || *opened->sampler.reason) {
		err = refuse(injected->pid, opened, err, load);
		release(opened);
		return err;
	}
	if (load == INJECTED_LOAD_AND_START)
		say_stops(injected->pid, opened);
	opened->next = injected->files;
	injected->files = opened;
	return 0;
}

static struct injected *injected_new(pid_t pid)
{
	struct injected *injected = calloc(1, sizeof(*injected));

	if (injected)
		*injected = (struct injected){.pid = pid, .users = 1};
	return injected;
}

int injected_open(struct tracer *tracer, struct tracee *tracee, const struct image *image, struct binary *file)
{
	struct injected *injected = tracee->injected ? tracee->injected : injected_new(tracee->pid);
	int err = injected ? add_file(tracer, image, injected, file, INJECTED_LOAD_AND_START) : -ENOMEM;

	if (!err) {
		injected->since_ns = clock_now_ns();
		tracee->injected = injected;
	} else if (!tracee->injected) {
		free(injected);
	}
	return err;
}

/* --- all files of a process, or none ---------------------------------------------------------------------------------------- */

static void set_links(const struct tracer *tracer, const struct tracee *tracee, u32 wide)
{
	__atomic_store_n(&kernel_scope(tracer->kernel, tracee->scope)->wide, wide, __ATOMIC_RELEASE);
}

static bool is_of(const struct image *image, const struct binary *file)
{
	return file->plan && address_map_has(image->mappings, file->elf);
}

/* Each has a link of its own, and all processes of the machine are looked through for children when one ends. */
static bool is_room(const struct tracer *tracer, pid_t pid)
{
	u32 count = 0;

	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		count += tracee->injected && tracee->injected->pid == tracee->pid;
	if (count == PROCESSES_MAX)
		log_note("pid %d keeps probes, whose every hit traps: %d processes have the sampler already", pid,
			 PROCESSES_MAX);
	return count < PROCESSES_MAX;
}

static int examine(pid_t pid, const struct image *image, const struct binary *file, enum injected_load load)
{
	struct patience patience = injected_be_patient(pid);
	char reason[SAMPLER_REASON_MAX];
	int err;

	do {
		*reason = '\0';
		err = examination_make(pid, mapping_of(image, file->elf), file->elf, file->plan, reason);
	} while (injected_try_again(&patience, err));
	if (shortage_is(err))
		return err;
	if (!err && !*reason)
		return 0;
	if (load == INJECTED_LOAD_AGAIN && injection_may_pass(err))
		return -EBUSY;
	injected_say_refused(pid, file, *reason ? reason : strerror(-err));
	return -ECANCELED;
}

/* Before the first is opened, so that as a rule none is opened in vain. How many there are, -ECANCELED or another negative errno. */
static int examine_all(const struct tracer *tracer, pid_t pid, const struct image *image, enum injected_load load)
{
	int count = 0, err = 0;

	for (const struct binary *file = binaries_files(tracer->binaries); file && !err; file = file->next) {
		if (!is_of(image, file))
			continue;
		err = examine(pid, image, file, load);
		count++;
	}
	return err ? err : count;
}

int injected_load_all(struct tracer *tracer, pid_t pid, const struct image *image, enum injected_load load,
		      struct injected **ret_injected)
{
	int found = is_room(tracer, pid) ? examine_all(tracer, pid, image, load) : 0, err = 0;
	struct injected *injected = found > 0 ? injected_new(pid) : NULL;

	if (found <= 0)
		return found ? found : -ECANCELED;
	if (!injected)
		return -ENOMEM;
	for (struct binary *file = binaries_files(tracer->binaries); file && !err; file = file->next)
		if (is_of(image, file))
			err = add_file(tracer, image, injected, file, load);
	if (err)
		injected_close(&injected);
	else
		*ret_injected = injected;
	return err;
}

bool injected_inherit(struct tracer *tracer, struct tracee *tracee, const struct tracee *parent, u64 forked_ns)
{
	if (__atomic_load_n(&kernel_scope(tracer->kernel, tracee->scope)->wide, __ATOMIC_ACQUIRE) != SCOPE_INLINE)
		return true;
	if (parent && parent->injected) {
		tracee->injected = parent->injected;
		tracee->injected->users++;
	}
	if (tracee->injected && forked_ns >= tracee->injected->since_ns)
		return true;
	injected_leave(tracer, tracee);
	return false;
}

void injected_executed(const struct tracer *tracer, struct tracee *tracee)
{
	tracee->probes_stay = false;
	tracee->handovers = 0;
	tracee->handover_ns = 0;
	/* It gets links of its own again, if they see it. */
	if (!tracee->injected || tracer->wide || !tracer->calibration.filter_is_right)
		return;
	tracee->wide = false;
	__atomic_store_n(&kernel_scope(tracer->kernel, tracee->scope)->wide, 0, __ATOMIC_RELEASE);
}

bool injected_has(const struct tracee *tracee, const struct binary *file)
{
	const struct injected_file *injected = tracee->injected ? tracee->injected->files : NULL;

	while (injected && injected->file != file)
		injected = injected->next;
	return injected;
}

bool injected_has_all(const struct tracee *tracee)
{
	return tracee->injected && tracee->wide;
}

/* --- the end ---------------------------------------------------------------------------------------------------------------- */

static void say_stays(pid_t pid, const char *where, int err)
{
	if (err)
		log_note("pid %d: the sampler, which takes no more samples, stays in it%s: %s", pid, where,
			 shortage_is(err) ? shortage_explain(err).text : injection_refusal(err));
}

void injected_leave(struct tracer *tracer, struct tracee *tracee)
{
	const struct injected_file *file = tracee->injected ? tracee->injected->files : NULL;

	for (; file; file = file->next) {
		struct patience patience = injected_be_patient(tracee->pid);
		int err;

		do {
			err = running_sampler_leave(&file->sampler, tracee->pid);
		} while (injected_try_again(&patience, err));
		say_stays(tracee->pid, "", err);
	}
	set_links(tracer, tracee, 1);
	injected_close(&tracee->injected);
}

static void stop(pid_t pid, struct injected_file *injected)
{
	struct patience patience = injected_be_patient(pid);
	int err;

	do {
		err = running_sampler_stop(&injected->sampler);
	} while (injected_try_again(&patience, err));
	say_stays(pid, ", or in a child of it", err);
}

void injected_close(struct injected **injected)
{
	struct injected *closed = *injected;

	*injected = NULL;
	if (!closed || --closed->users)
		return;
	while (closed->files) {
		struct injected_file *file = closed->files;

		closed->files = file->next;
		if (closed->since_ns)
			stop(closed->pid, file);
		release(file);
	}
	free(closed);
}
