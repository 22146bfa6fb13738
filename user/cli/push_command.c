/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/push_command.h"

#include <errno.h>

#include "base/status.h"
#include "cli/options.h"
#include "live/client.h"
#include "live/running.h"
#include "push/push.h"

int push_command_take_label(struct option_parser *parse, const char *text)
{
	const char *why;
	int err = labels_add_own(&parse->options->push.labels, text, &why);

	if (err == -ENOMEM)
		return option_no_memory(parse);
	return err ? option_refuse(parse, "'--label %s' %s", text, why) : 0;
}

struct push_options push_command_beside(const struct options *options)
{
	struct push_options push = options->push;

	push.option = "--push";
	return push;
}

int push_command_run(const struct options *options)
{
	struct push_options push = options->push;
	struct tracing_options tracing = options->record.tracing;
	const struct live_client client = {push_run, &push, true};
	int status = push_check(&push);

	if (status)
		return options_not_begun(options, status);
	if (push.path)
		return client_run_recorded(push.path, &client);
	/* Stores have no place for lifetimes, and only cycles that are asked for decide what is in use. */
	tracing.counts_alone = true;
	tracing.gc.gogc_percent = 0;
	return running_run(&tracing, options->site_skip, &client);
}
