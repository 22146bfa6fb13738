/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting COMMAND with stand-ins for its allocator files. Used by record, and rehearsed by doctor, before there is a
 * tracer, which the child must not inherit. What goes wrong here costs bystanders time and COMMAND nothing, so COMMAND
 * starts all the same.
 */
#include "record/spare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "system/file_copies.h"
#include "probe/binaries.h"

static const char *reason(int err)
{
	static char text[128];

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
	snprintf(text, sizeof(text), "copies of its files cannot be had: %s", strerror(-err));
	return text;
}

/* What COMMAND runs is mostly what the shell's libc serves, whatever COMMAND itself is made of. */
static int find(const struct custom_allocator *pools, const char *path, struct binaries **ret_target)
{
	*ret_target = binaries_new(pools);
	if (!*ret_target)
		return -ENOMEM;
	/* Files that cannot be told are found when they are mapped. */
	binaries_open_program(*ret_target, path);
	binaries_open_program(*ret_target, "/bin/sh");
	return 0;
}

static int copy(const struct binaries *binaries, struct file_copies **ret_set)
{
	int err = file_copies_new(ret_set);

	if (!err)
		err = binaries_copy(binaries, *ret_set);
	return err ? err : (*ret_set)->count ? 0 : -ENOENT;
}

int spare_start(const struct custom_allocator *pools, char *const *argv, char *path, const sigset_t *mask,
		struct workload *ret_command, struct spare *ret_spare)
{
	struct file_copies *set = NULL;
	struct binaries *binaries = NULL;
	int err = find(pools, path, &binaries);

	if (!err)
		err = copy(binaries, &set);
	if (!err)
		err = workload_start(argv, path, mask, set, ret_command);
	if (!err) {
		err = binaries_file_copy(binaries, set);
		if (err)
			workload_abandon(ret_command);
	}
	*ret_spare = (struct spare){.target = binaries, .count = set ? set->count : 0};
	file_copies_free(set);
	if (!err)
		return 0;
	binaries_free(binaries);
	*ret_spare = (struct spare){.reason = reason(err)};
	return workload_start(argv, path, mask, NULL, ret_command);
}

void spare_rehearse(const struct custom_allocator *pools, const char *path, struct spare *ret_spare)
{
	struct file_copies *set = NULL;
	int err;

	*ret_spare = (struct spare){0};
	err = find(pools, path, &ret_spare->target);
	if (!err)
		err = copy(ret_spare->target, &set);
	if (err)
		ret_spare->reason = reason(err);
	else
		ret_spare->count = set->count;
	file_copies_free(set);
}
