/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COMMAND in the eyes of the record verb: its errors in words, and exit statuses. Owns the child; called by record.c. */
#include "record/launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "probe/binaries.h"

int launch_start(const struct selection_options *options, const sigset_t *mask, struct launch *launch)
{
	char *const *argv = options->command;
	bool spared = options->population == POPULATION_FOLLOW && !options->shared_mounts;
	char *path;
	int err = workload_find(argv[0], &path);

	if (!err) {
		err = spared ? spare_start(options->pools, argv, path, mask, &launch->command, &launch->spare)
			     : workload_start(argv, path, mask, NULL, &launch->command);
		if (err)
			free(path);
	}
	if (err) {
		log_error("cannot run '%s': %s", argv[0], strerror(-err));
		return err == -ENOENT	? STATUS_NOT_FOUND
		       : err == -EACCES ? STATUS_NOT_EXECUTABLE
					: STATUS_COMMAND_FAILED;
	}
	launch->started = true;
	launch->status = -EAGAIN;
	return STATUS_DONE;
}

int launch_release(struct launch *launch)
{
	int err = workload_release(&launch->command);

	launch->released = true;
	if (!err)
		return STATUS_DONE;
	launch->started = false;
	log_error("cannot run '%s': %s", launch->command.path, strerror(-err));
	return err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

void launch_look(struct launch *launch)
{
	if (launch->started && launch->status == -EAGAIN)
		launch->status = workload_status(&launch->command, 0);
}

bool launch_over(const struct launch *launch)
{
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
	binaries_free(launch->spare.target);
	free(launch->command.path);
}
