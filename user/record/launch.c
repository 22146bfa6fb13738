/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COMMAND is started before there is a tracer, whose maps and threads it must not inherit. A failure to make copies
 * costs other processes time and COMMAND nothing, so COMMAND starts all the same.
 */
#include "record/launch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "binary/elf.h"
#include "inline/filter_trial.h"
#include "inline/graft.h"
#include "probe/binaries.h"
#include "probe/loader_list.h"
#include "system/file_copies.h"
#include "system/procfs.h"
#include "system/shortage.h"
#include "trace/denial.h"

static const char *reason(int err)
{
	static char text[DENIAL_TEXT_MAX];

	switch (err) {
	case -EPERM:
		return denial_explain_copies(text);
	case -EACCES:
		return "a security module, or the mount that a file is on, forbids to run the copy";
	case -ENOENT:
		return "no allocator was found in the files that it will map";
	case -ESTALE:
		return "a file was replaced meanwhile";
	}
	snprintf(text, sizeof(text), "copies of its files cannot be had: %s", shortage_explain(err).text);
	return text;
}

static int add_inlined(struct binary *file, struct graft *graft, struct launch *launch, struct file_copies *set)
{
	int err = file_copies_add(set, elf_fd(file->elf), &graft->change);

	if (err == -EFBIG) {
		snprintf(graft->reason, sizeof(graft->reason), "with the sampler it is larger than heaptap may write");
		return 0;
	}
	if (err)
		return err;
	file->plan->inlined = true;
	memcpy(file->plan->sites, graft->sites, sizeof(file->plan->sites));
	launch->inlined++;
	return 0;
}

/* With the sampler in the copy, where it can be. */
static int copy_inlined(struct binary *file, const struct sampler_settings *settings, struct launch *launch,
			struct file_copies *set)
{
	struct graft graft;
	int err = graft_make(file->elf, file->plan, settings, &graft);

	if (!err && !*graft.reason)
		err = add_inlined(file, &graft, launch, set);
	if (!err && *graft.reason) {
		log_note("'%s' keeps probes, whose every hit traps: %s", elf_path(file->elf), graft.reason);
		err = file_copies_add(set, elf_fd(file->elf), NULL);
	}
	graft_release(&graft);
	return err;
}

/* One file that heaptap may not write is not to make the others' users pay. */
static int copy_all(struct launch *launch, u64 inline_bytes, struct file_copies *set)
{
	struct sampler_settings settings = {.sample_bytes = inline_bytes};
	bool too_large = false;
	int err = 0;

	if (inline_bytes && getrandom(&settings.session, sizeof(settings.session), 0) < 0)
		return -errno;
	settings.memory_bytes = (u64)sysconf(_SC_PHYS_PAGES) * (u64)sysconf(_SC_PAGE_SIZE);

	for (struct binary *file = binaries_files(launch->binaries); file && !err; file = file->next) {
		if (!file->plan)
			continue;
		err = inline_bytes ? copy_inlined(file, &settings, launch, set)
				   : file_copies_add(set, elf_fd(file->elf), NULL);
		if (err != -EFBIG)
			continue;
		log_note(
			"'%s' is not copied, so that other processes that map it may pay: it is larger than heaptap may write",
			elf_path(file->elf));
		too_large = true;
		err = 0;
	}
	return !err && too_large && !set->count ? -EFBIG : err;
}

/*
 * Copy the allocator files that COMMAND and its children will map. Most children use the shell's libc, whatever COMMAND
 * itself is made of. Files that are missed here are found when they are mapped.
 */
static int copy_files(const struct selection *selection, const char *path, u64 inline_bytes, struct launch *launch,
		      struct file_copies **ret_set)
{
	int err;

	*ret_set = NULL;
	launch->binaries = binaries_new(selection->options->pools, inline_bytes);
	if (!launch->binaries)
		return -ENOMEM;
	loader_list_open(launch->binaries, path);
	loader_list_open(launch->binaries, "/bin/sh");
	err = file_copies_new(ret_set);
	if (!err)
		err = copy_all(launch, inline_bytes, *ret_set);
	if (!err && !(*ret_set)->count)
		err = -ENOENT;
	if (err)
		launch->reason = reason(err);
	else
		launch->copies = (*ret_set)->count;
	return err;
}

/* False, with the reason noted and nothing started, where copies cannot be had. */
static bool start_with_copies(const struct selection *selection, char *path, u64 inline_bytes, const sigset_t *mask,
			      struct launch *launch)
{
	struct file_copies *set;
	int err = copy_files(selection, path, inline_bytes, launch, &set);

	if (!err)
		err = workload_start(selection->options->command, path, mask, set, &launch->command);
	if (!err) {
		err = binaries_file_copy(launch->binaries, set);
		if (err)
			workload_abandon(&launch->command);
	}
	file_copies_free(set);
	if (!err)
		return true;
	binaries_free(launch->binaries);
	*launch = (struct launch){.reason = reason(err)};
	return false;
}

int launch_failure(int err)
{
	return err == -ENOMEM ? STATUS_COMMAND_FAILED : err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int cannot_run(const char *name, int err, int status)
{
	log_error("cannot run '%s': %s", name, shortage_explain(err).text);
	return status;
}

static bool copies_for_children(const struct selection_options *options)
{
	return options->population == POPULATION_FOLLOW && !options->shared_mounts;
}

static void say_left_out(const struct selection_options *options, const char *why)
{
	if (options->inlined)
		log_note("--inline is left out: %s", why);
}

/*
 * The interval to sample at in the process; 0: probes do it. Where the files are copied anyway, nobody has to ask for the
 * cheaper way.
 */
static u64 inline_interval(const struct selection_options *options, u64 sample_bytes)
{
	if (!options->inlined && (!copies_for_children(options) || options->plain_copies))
		return 0;
	if (sample_bytes < INLINE_BYTES_MIN)
		say_left_out(options, LAUNCH_SMALL_INTERVAL);
	else if (!filter_trial_passed())
		say_left_out(options, "a seccomp filter that COMMAND inherits kills at a system call of the sampler's");
	else
		return sample_bytes;
	return 0;
}

int launch_start(const struct selection *selection, u64 sample_bytes, const sigset_t *mask, struct launch *launch)
{
	const struct selection_options *options = selection->options;
	u64 inline_bytes = inline_interval(options, sample_bytes);
	bool copied = inline_bytes || copies_for_children(options);
	char *path;
	int err = workload_find(options->command[0], &path);

	if (err)
		return cannot_run(options->command[0], err, launch_failure(err));
	if (!copied || !start_with_copies(selection, path, inline_bytes, mask, launch))
		err = workload_start(options->command, path, mask, NULL, &launch->command);
	if (err) {
		free(path);
		launch->command.path = NULL;
		return cannot_run(options->command[0], err, STATUS_COMMAND_FAILED);
	}
	launch->started = true;
	launch->status = -EAGAIN;
	return STATUS_DONE;
}

int launch_rehearse(const struct selection *selection, u64 sample_bytes, const char *path, struct launch *launch)
{
	struct file_copies *set;

	*launch = (struct launch){0};
	copy_files(selection, path, inline_interval(selection->options, sample_bytes), launch, &set);
	file_copies_free(set);
	return launch->binaries ? 0 : -ENOMEM;
}

int launch_release(struct launch *launch, const struct first_steps *steps)
{
	int err = workload_release(&launch->command, steps);

	launch->released = true;
	if (!err)
		return STATUS_DONE;
	launch->started = false;
	return cannot_run(launch->command.path, err, launch_failure(err));
}

bool launch_look(struct launch *launch)
{
	if (launch->started && launch->status == -EAGAIN)
		launch->status = workload_status(&launch->command, 0);
	return launch->started && launch->status != -EAGAIN;
}

void launch_abandon(struct launch *launch)
{
	if (!launch->started || launch->released)
		return;
	workload_abandon(&launch->command);
	launch->started = false;
}

int launch_status(struct launch *launch, int status)
{
	if (launch->started && !launch_look(launch)) {
		/* The end of a process is traced before it has given its memory back, which takes a loaded machine a while. */
		if (!procfs_is_ending(launch->command.pid))
			log_note("'%s' (pid %d) goes on without being traced; waiting for its end",
				 launch->command.path, launch->command.pid);
		launch->status = workload_status(&launch->command, 1);
	}
	if (status == STATUS_FOUND)
		return launch->status ? launch->status : STATUS_FOUND;
	if (status == STATUS_DONE)
		return launch->status;
	return status >= STATUS_COMMAND_FAILED ? status : STATUS_COMMAND_FAILED;
}

void launch_free(struct launch *launch)
{
	binaries_free(launch->binaries);
	free(launch->command.path);
}
