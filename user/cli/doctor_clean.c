/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_clean.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/status.h"
#include "system/shortage.h"
#include "trace/leftovers.h"
#include "trace/link_keeper.h"
#include "trace/python_leftovers.h"

static const char *es(unsigned int count)
{
	return count == 1 ? "" : "es";
}

static void print_breakpoints(const struct leftovers *leftovers)
{
	printf("\nBreakpoints that nobody uses\n");
	if (leftovers->removed)
		printf("  %u taken out of %u process%s, the first is %d\n", leftovers->removed, leftovers->processes,
		       es(leftovers->processes), leftovers->first);
	else
		printf("  none in the code of %u process%s\n", leftovers->looked, es(leftovers->looked));
	if (leftovers->staying)
		printf("  %u stay, which another program uses now: a tracer, or another heaptap\n", leftovers->staying);
	if (leftovers->unread)
		printf("  %u process%s may not be looked at, for want of CAP_SYS_PTRACE or by a security module\n",
		       leftovers->unread, es(leftovers->unread));
}

static void print_python(const struct python_leftovers *python)
{
	if (!python->looked)
		return;
	printf("\nPointers of Python's allocator that nobody uses\n");
	if (python->processes)
		printf("  %u given back to %u process%s, the first is %d\n", python->pointers, python->processes,
		       es(python->processes), python->first);
	else
		printf("  none in %u process%s\n", python->looked, es(python->looked));
	if (python->recorded)
		printf("  those of %u process%s stay, as a recording uses them now\n", python->recorded,
		       es(python->recorded));
	if (python->moving)
		printf("  those of %u process%s stay, as its threads could not be stopped; try again\n", python->moving,
		       es(python->moving));
}

/* COMMAND does not run yet. */
static int list_target(const struct selection_options *options, struct pid_list *ret_pids)
{
	struct selection selection;
	int status = selection_open(options, &selection);

	if (!status)
		status = selection_list(&selection, ret_pids);
	selection_release(&selection);
	return status;
}

static int list_machine(struct pid_list *ret_pids)
{
	int err = pid_list_all(ret_pids);

	if (!err)
		return STATUS_DONE;
	log_error("cannot list the processes: %s", shortage_explain(err).text);
	return STATUS_FAILED;
}

static int fail(const char *what, int err)
{
	log_error("cannot look for %s: %s", what, shortage_explain(err).text);
	return STATUS_FAILED;
}

static int clean(const struct pid_list *pids)
{
	struct python_leftovers python;
	struct leftovers leftovers;
	int err = link_keeper_start();

	if (!err)
		err = leftovers_remove(pids, &leftovers);
	if (err)
		return fail("breakpoints", err);
	print_breakpoints(&leftovers);
	err = python_leftovers_give_back(pids, &python);
	if (err)
		return fail("pointers of Python's allocator", err);
	print_python(&python);
	return leftovers.unread && !leftovers.looked ? STATUS_UNSUPPORTED : STATUS_DONE;
}

int doctor_clean(const struct selection_options *options)
{
	struct pid_list pids = {0};
	int status;

	fflush(stdout); /* errors go to stderr, after what was printed so far */
	status = selection_has_target(options) ? list_target(options, &pids) : list_machine(&pids);
	if (!status)
		status = clean(&pids);
	pid_list_release(&pids);
	return status;
}
