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

#include "base/log.h"
#include "probe/binaries.h"
#include "probe/loader_list.h"
#include "system/file_copies.h"
#include "system/shortage.h"

static const char *reason(int err)
{
	static char text[512];

	switch (err) {
	case -EPERM:
		return "heaptap has no CAP_SYS_ADMIN here, or a security module forbids it";
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

/*
 * Copy the allocator files that COMMAND and its children will map. Most children use the shell's libc, whatever COMMAND
 * itself is made of. Files that are missed here are found when they are mapped.
 */
static int copy_files(const struct selection *selection, const char *path, struct launch *launch,
		      struct file_copies **ret_set)
{
	int err;

	*ret_set = NULL;
	launch->binaries = binaries_new(selection->options->pools);
	if (!launch->binaries)
		return -ENOMEM;
	loader_list_open(launch->binaries, path);
	loader_list_open(launch->binaries, "/bin/sh");
	err = file_copies_new(ret_set);
	if (!err)
		err = binaries_copy(launch->binaries, *ret_set);
	if (!err && !(*ret_set)->count)
		err = -ENOENT;
	if (err)
		launch->reason = reason(err);
	else
		launch->copies = (*ret_set)->count;
	return err;
}

/* False, with the reason noted and nothing started, where copies cannot be had. */
static bool start_with_copies(const struct selection *selection, char *path, const sigset_t *mask,
			      struct launch *launch)
{
	struct file_copies *set;
	int err = copy_files(selection, path, launch, &set);

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

int launch_start(const struct selection *selection, const sigset_t *mask, struct launch *launch)
{
	const struct selection_options *options = selection->options;
	bool copied = options->population == POPULATION_FOLLOW && !options->shared_mounts;
	char *path;
	int err = workload_find(options->command[0], &path);

	if (err)
		return cannot_run(options->command[0], err, launch_failure(err));
	if (!copied || !start_with_copies(selection, path, mask, launch))
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

int launch_rehearse(const struct selection *selection, const char *path, struct launch *launch)
{
	struct file_copies *set;

	*launch = (struct launch){0};
	copy_files(selection, path, launch, &set);
	file_copies_free(set);
	return launch->binaries ? 0 : -ENOMEM;
}

int launch_release(struct launch *launch)
{
	int err = workload_release(&launch->command);

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
	if (launch->started && launch->status == -EAGAIN)
		launch->status = workload_status(&launch->command, 1);
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
