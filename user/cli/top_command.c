/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/top_command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "live/client.h"
#include "live/running.h"
#include "system/inheritance.h"

#define DELAY_S	   2
#define SCOPE_SIZE 256

static void name_scope(const struct options *options, char scope[SCOPE_SIZE])
{
	const struct selection_options *target = &options->record.tracing.target;

	if (options->top.path)
		snprintf(scope, SCOPE_SIZE, "recording %s", options->top.path);
	else if (target->container)
		snprintf(scope, SCOPE_SIZE, "container %s", target->container);
	else if (target->cgroup)
		snprintf(scope, SCOPE_SIZE, "cgroup %s", target->cgroup);
	else if (target->command)
		snprintf(scope, SCOPE_SIZE, "command %s", target->command[0]);
	else if (target->population == POPULATION_ALL)
		snprintf(scope, SCOPE_SIZE, "every process of this machine");
	else
		snprintf(scope, SCOPE_SIZE, "processes that were named");
	text_printable(scope);
}

/* One line says what it costs whom. */
static int ask(void)
{
	char answer[16];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		log_error(
			"no target, and no terminal to ask on whether the whole machine may be traced: name a target as "
			"-p PID, or agree by --yes");
		return STATUS_USAGE;
	}
	fputs("heaptap: no target: every process of this machine that allocates will pay a trap, a microsecond or so, "
	      "for each malloc and free until heaptap ends.\n"
	      "Trace them all? [y/N] ",
	      stderr);
	if (fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y'))
		return STATUS_DONE;
	log_error("nothing was traced: name a target as -p PID, or agree by y");
	return STATUS_USAGE;
}

int top_command_run(const struct options *options)
{
	const struct tracing_options *tracing = &options->record.tracing;
	struct top_options top = options->top;
	const struct live_client client = {top_run, &top, false};
	char scope[SCOPE_SIZE];
	int status = top_check(&top), err;

	if (!status && top.machine && !top.yes)
		status = ask();
	if (status)
		return status;
	name_scope(options, scope);
	top.scope = scope;
	top.delay_s = top.delay_s > 0 ? top.delay_s : DELAY_S;
	if (top.path)
		return client_run_recorded(top.path, &client);
	err = tracing->target.command ? inheritance_silence() : 0;
	if (!err)
		return running_run(tracing, options->site_skip, &client);
	log_error("cannot open '/dev/null': %s", strerror(-err));
	return STATUS_FAILED;
}
