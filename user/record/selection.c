/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -p, --follow, --all, --cgroup, --container, --comm, --exe. */
#include "record/selection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "probe/custom_allocator.h"
#include "system/cgroup_resolve.h"
#include "system/process_state.h"
#include "system/procfs.h"
#include "system/shortage.h"
#include "trace/attach_process.h"
#include "trace/denial.h"
#include "trace/leftovers.h"
#include "trace/link_keeper.h"
#include "trace/payers.h"

#define THIS_MACHINE "" /* the root of all paths */

/* Where cgroups can be mounted everywhere: /sys/fs/cgroup may hold hierarchies of version 1, and is no place for directories if it does not. */
#define MOUNT_POINT "/run/cgroup2"

static int refuse_without_mounts(int err)
{
	if (err == -ENOTSUP) {
		log_error("cgroups of version 2 are not mounted here, and heaptap cannot tell a container's processes "
			  "without: mkdir -p " MOUNT_POINT " && mount -t cgroup2 none " MOUNT_POINT
			  ", or trace processes with -p");
		return STATUS_UNSUPPORTED;
	}
	log_error("cannot read where cgroups are mounted (/proc/self/mountinfo): %s", shortage_explain(err).text);
	return STATUS_FAILED;
}

/* The group that --cgroup or --container names. */
static int find_group(struct selection *selection)
{
	const struct selection_options *options = selection->options;
	char *why = NULL;
	int err = options->container ? container_find(&selection->mounts, options->container, &selection->container,
						      &selection->group, &why)
				     : cgroup_resolve(&selection->mounts, options->cgroup, &selection->group, &why);

	if (!err)
		return STATUS_DONE;
	log_error("%s", why ? why : shortage_explain(err).text);
	free(why);
	return err == -EINVAL ? STATUS_USAGE : shortage_is(err) ? STATUS_FAILED : STATUS_NO_TARGET;
}

static int find_exe(struct selection *selection)
{
	struct stat stat_buffer;

	if (stat(selection->options->exe, &stat_buffer)) {
		log_error("--exe '%s': %s; name the file that the processes run", selection->options->exe,
			  strerror(errno));
		return STATUS_NO_TARGET;
	}
	if (!S_ISREG(stat_buffer.st_mode)) {
		log_error("--exe '%s' is no regular file, which no process can run; name the program's file",
			  selection->options->exe);
		return STATUS_NO_TARGET;
	}
	selection->exe_device = stat_buffer.st_dev;
	selection->exe_inode = stat_buffer.st_ino;
	return STATUS_DONE;
}

bool selection_has_target(const struct selection_options *options)
{
	return options->command || options->pid_count || options->population != POPULATION_LISTED;
}

int selection_add_pid(struct selection_options *options, pid_t pid)
{
	if (!options->pids)
		options->pids = calloc(PIDS_MAX, sizeof(*options->pids));
	if (!options->pids)
		return -ENOMEM;
	for (unsigned int i = 0; i < options->pid_count; i++)
		if (options->pids[i] == pid)
			return 0;
	if (options->pid_count == PIDS_MAX)
		return -E2BIG;
	options->pids[options->pid_count++] = pid;
	return 0;
}

/* Another process may see a file there, COMMAND does not. */
static int check_pools(const struct selection_options *options)
{
	for (const struct custom_allocator *pool = options->pools; pool && options->command; pool = pool->next) {
		if (!strchr(pool->file, '/') || pool->real_path)
			continue;
		log_error("--alloc %s: there is no such file", pool->file);
		return STATUS_USAGE;
	}
	return STATUS_DONE;
}

int selection_open(const struct selection_options *options, struct selection *ret_selection)
{
	int err, status = check_pools(options);

	*ret_selection = (struct selection){.options = options};
	if (status)
		return status;
	err = cgroup_mounts_open(THIS_MACHINE, &ret_selection->mounts);
	if (err && options->population == POPULATION_CGROUP)
		return refuse_without_mounts(err);
	if (!err)
		ret_selection->names = container_names_new(&ret_selection->mounts);
	if (options->container || options->cgroup)
		status = find_group(ret_selection);
	if (status == STATUS_DONE && options->exe)
		status = find_exe(ret_selection);
	return status;
}

void selection_release(struct selection *selection)
{
	cgroup_release(&selection->group);
	container_release(&selection->container);
	container_names_free(selection->names);
	cgroup_mounts_release(&selection->mounts);
}

/* How many processes there are to begin with, for sizing. */
static unsigned int expected(const struct selection_options *options)
{
	struct pid_list all = {0};
	unsigned int count = options->pid_count;

	if (options->population != POPULATION_LISTED && !pid_list_all(&all))
		count += all.count;
	pid_list_release(&all);
	return count;
}

void selection_describe(const struct selection *selection, struct tracer_options *options)
{
	options->kernel.processes = expected(selection->options);
	options->kernel.population = selection->options->population;
	options->kernel.comm = selection->options->comm;
	options->kernel.exe_device = selection->exe_device;
	options->kernel.exe_inode = selection->exe_inode;
	options->sources.mounts = selection->mounts.root ? (struct cgroup_mounts *)&selection->mounts : NULL;
	options->sources.containers = selection->names;
	options->sources.group = selection->group.path;
}

const char *selection_name(const struct selection *selection, char name[SELECTION_NAME_MAX])
{
	const struct selection_options *options = selection->options;
	const struct container *container = &selection->container;

	if (options->container)
		snprintf(name, SELECTION_NAME_MAX, "container '%s' (%.12s, %s)",
			 container->name ? container->name : options->container, container->id, container->runtime);
	else if (options->cgroup)
		snprintf(name, SELECTION_NAME_MAX, "cgroup '%s'", selection->group.path);
	else if (options->population == POPULATION_ALL)
		snprintf(name, SELECTION_NAME_MAX, "every process of this machine");
	else
		snprintf(name, SELECTION_NAME_MAX, "the processes named%s",
			 options->population == POPULATION_FOLLOW ? " and their children" : "");
	return name;
}

static int list_named(const struct selection_options *options, struct pid_list *ret_list)
{
	*ret_list = (struct pid_list){.pids = calloc(options->pid_count + 1UL, sizeof(pid_t))};
	if (!ret_list->pids)
		return -ENOMEM;
	for (; ret_list->count < options->pid_count; ret_list->count++)
		ret_list->pids[ret_list->count] = options->pids[ret_list->count];
	return 0;
}

static int list(const struct selection *selection, struct pid_list *ret_list)
{
	const struct selection_options *options = selection->options;
	unsigned int hidden = 0;
	int err;

	if (options->population == POPULATION_LISTED)
		return list_named(options, ret_list);
	if (options->population == POPULATION_ALL)
		return pid_list_all(ret_list);
	if (options->population == POPULATION_FOLLOW)
		return pid_list_family(options->pids, options->pid_count, ret_list);
	err = pid_list_group(&selection->group, ret_list, &hidden);
	if (!err && hidden)
		log_note("%u processes of the group are in a PID namespace that heaptap does not see; run it outside, "
			 "with --pid=host in a container",
			 hidden);
	return err;
}

/* *hidden counts those of which that may not be known; threads of the kernel, which have no memory, run nothing. */
static bool runs_exe(const struct selection *selection, pid_t pid, unsigned int *hidden)
{
	struct stat stat_buffer;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (!stat(path, &stat_buffer))
		return stat_buffer.st_dev == selection->exe_device && stat_buffer.st_ino == selection->exe_inode;
	*hidden += (errno == EACCES || errno == EPERM) && procfs_rss_bytes(pid);
	return false;
}

/* As --comm and --exe choose; the kernel side does the same for processes that join later. */
static bool is_wanted(const struct selection *selection, pid_t pid, unsigned int *hidden)
{
	const struct selection_options *options = selection->options;
	char comm[16];

	if (link_keeper_is_own(pid))
		return false;
	if (options->comm && (procfs_comm(pid, comm) || strncmp(comm, options->comm, sizeof(comm) - 1)))
		return false;
	return !options->exe || runs_exe(selection, pid, hidden);
}

static void say_hidden(const struct selection *selection, unsigned int hidden)
{
	char why[DENIAL_TEXT_MAX];

	if (hidden)
		log_note("%u process%s not traced, as which program %s may not be known (--exe '%s'): %s", hidden,
			 hidden == 1 ? " is" : "es are", hidden == 1 ? "it runs" : "they run", selection->options->exe,
			 denial_explain_process(why));
}

/* A mistake in a list of PIDs is reported, not worked around: all are traced, or none. */
static int check_pid(pid_t pid)
{
	char why[PROCESS_STATE_TEXT_MAX];

	if (process_state_allows(pid, why))
		return STATUS_DONE;
	log_error("%s", why);
	return STATUS_NO_TARGET;
}

int selection_list(const struct selection *selection, struct pid_list *ret_list)
{
	unsigned int kept = 0, hidden = 0;
	int err;

	*ret_list = (struct pid_list){0};
	for (unsigned int i = 0; i < selection->options->pid_count; i++)
		if (check_pid(selection->options->pids[i]) != STATUS_DONE)
			return STATUS_NO_TARGET;
	err = list(selection, ret_list);
	if (err) {
		log_error("cannot list the processes to trace: %s", shortage_explain(err).text);
		return STATUS_FAILED;
	}
	for (unsigned int i = 0; i < ret_list->count; i++)
		if (is_wanted(selection, ret_list->pids[i], &hidden))
			ret_list->pids[kept++] = ret_list->pids[i];
	ret_list->count = kept;
	say_hidden(selection, hidden);
	return STATUS_DONE;
}

/* The runtime's own process enters a container with the host's libc, which no other process should have to pay for. */
static void look_out(const struct selection *selection, struct tracer *tracer)
{
	struct group group = {
		.id = selection->group.id,
		.level = selection->group.level,
		.programs_only = selection->options->container != NULL,
	};

	if (selection->group.path)
		snprintf(group.path, sizeof(group.path), "%s", selection->group.path);
	tracer_populate(tracer, selection->group.path ? &group : NULL);
}

/* Before anything is probed: the kernel does not say whose a breakpoint is. */
static void remove_leftovers(const struct pid_list *pids)
{
	struct leftovers leftovers;
	int err = leftovers_remove(pids, &leftovers);

	if (err)
		log_detail("cannot look for breakpoints left by an earlier recording: %s", shortage_explain(err).text);
	if (leftovers.removed)
		log_note(
			"took out %u breakpoint%s that had stayed in %u process%s (pid %d%s) when a heaptap was killed",
			leftovers.removed, leftovers.removed == 1 ? "" : "s", leftovers.processes,
			leftovers.processes == 1 ? "" : "es", leftovers.first, leftovers.processes == 1 ? "" : ", ...");
	if (leftovers.staying)
		log_detail("%u breakpoints of other programs are in the code of the processes", leftovers.staying);
}

int selection_attach(struct selection *selection, struct tracer *tracer)
{
	bool listed = selection->options->population == POPULATION_LISTED;
	struct pid_list pids;
	int status;

	if (!listed)
		look_out(selection, tracer);
	status = selection_list(selection, &pids);
	if (!status)
		remove_leftovers(&pids);
	if (!status && !listed)
		status = attach_processes(tracer, pids.pids, pids.count, &selection->processes);
	for (unsigned int i = 0; i < pids.count && !status && listed; i++)
		status = attach_process(tracer, pids.pids[i]);
	pid_list_release(&pids);
	return status;
}

static void say_who_pays_for_new(const struct tracer *tracer)
{
	double each_us = tracer_pair_ns(tracer) / 2000;
	unsigned int files, others;
	int err = payers_count(tracer, true, &files, &others);

	if (err)
		log_note(
			"other processes that use the same allocator file pay %.1f us for each operator new until heaptap "
			"stops; --no-new spares them; how many they are cannot be told: %s",
			each_us, shortage_explain(err).text);
	else if (others)
		log_note("%u other process%s pay%s %.1f us for each operator new of the same allocator file until "
			 "heaptap stops; --no-new spares them",
			 others, others == 1 ? "" : "es", others == 1 ? "s" : "", each_us);
}

static void say_who_pays(const struct tracer *tracer)
{
	double each_us = tracer_pair_ns(tracer) / 1000;
	unsigned int files, others;
	int err = payers_count(tracer, false, &files, &others);

	if (!files)
		return;
	if (err)
		log_note(
			"unfiltered probes in %u file%s: every process that maps them pays %.1f us for each malloc and free "
			"until heaptap stops; how many they are now cannot be told: %s",
			files, files == 1 ? "" : "s", each_us, shortage_explain(err).text);
	else
		log_note(
			"unfiltered probes in %u file%s: %u other process%s map%s them and pay%s %.1f us for each malloc and "
			"free until heaptap stops, as does every process that maps them later",
			files, files == 1 ? "" : "s", others, others == 1 ? "" : "es", others == 1 ? "s" : "",
			others == 1 ? "s" : "", each_us);
}

void selection_say(const struct selection *selection, const struct tracer *tracer)
{
	char name[SELECTION_NAME_MAX];

	if (selection->group.path)
		log_note("%s: %u process%s, and those that join later", selection_name(selection, name),
			 selection->processes, selection->processes == 1 ? "" : "es");
	say_who_pays_for_new(tracer);
	say_who_pays(tracer);
}

bool selection_look(struct selection *selection, const struct tracer *tracer)
{
	const char *what = selection->options->container ? "container" : "cgroup";
	const char *name = selection->options->container ? selection->options->container : selection->group.path;
	u32 made;

	if (!selection->group.path)
		return false;
	made = kernel_group_made(tracer_kernel(tracer));
	if (made != selection->made) {
		selection->made = made;
		log_note("%s '%s' has been started again; its processes get profiles of their own", what, name);
	}
	if (tracer_alive(tracer)) {
		selection->empty = false;
		return false;
	}
	/* A container may be started again, which makes its group again; one that was named itself is gone for good. */
	if (!selection->options->container && cgroup_check(&selection->group) == -ENOENT) {
		log_note("cgroup '%s' has been removed: the recording ends", name);
		return true;
	}
	if (!selection->empty)
		log_note("%s '%s' has no processes left; waiting for new ones (Ctrl-C or -d stops)", what, name);
	selection->empty = true;
	return false;
}
