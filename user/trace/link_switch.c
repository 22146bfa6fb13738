/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/link_switch.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "system/shortage.h"
#include "trace/settle.h"
#include "trace/tracer_internal.h"

/* What is done with each link; `tracee` NULL: an unfiltered one. */
typedef void (*link_action)(struct tracer *tracer, struct tracee_file *link, const struct tracee *tracee);

static void each_of(struct tracer *tracer, struct tracee_file *links, const struct tracee *tracee, link_action action)
{
	for (; links; links = links->next)
		action(tracer, links, tracee);
}

static void each_link(struct tracer *tracer, link_action action)
{
	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next)
		each_of(tracer, tracee->files, tracee, action);
	each_of(tracer, tracer->wide_files, NULL, action);
	each_of(tracer, tracer->throwing_files, NULL, action);
}

int link_switch_open(const struct tracer *tracer, struct tracee_file *link, pid_t pid, u32 scope)
{
	return attach_open(tracer->kind, kernel_programs(tracer->kernel), elf_fd(link->file->elf), link->file->plan,
			   pid, scope, link->file->allocator, tracer->leave_out | link->leave_out, &link->attach);
}

static void take_out(struct tracer *tracer, struct tracee_file *link, const struct tracee *tracee)
{
	(void)tracer;
	(void)tracee;
	attach_close(link->attach);
	link->attach = NULL;
}

static void put_in(struct tracer *tracer, struct tracee_file *link, const struct tracee *tracee)
{
	int err;

	if (link->attach)
		return;
	err = link_switch_open(tracer, link, tracee ? tracee->pid : 0, tracee ? tracee->scope : SCOPE_BY_PID);
	if (!err || err == -ESRCH)
		return;
	tracer->blind = true;
	if (link->failed)
		return;
	link->failed = true;
	log_error("'%s' cannot be probed again: %s; its allocations are not seen until it can be",
		  elf_path(link->file->elf), shortage_explain(err).text);
}

static void end_frees(struct tracer *tracer, struct tracee_file *link, const struct tracee *tracee)
{
	(void)tracer;
	(void)tracee;
	if (link->attach)
		attach_close_frees(link->attach);
}

/* Which links serve the processes: those that did, or none. */
static void serve_all(struct tracer *tracer, bool served)
{
	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		struct scope *scope = kernel_scope(tracer->kernel, tracee->scope);

		__atomic_store_n(&scope->wide, served ? tracee->wide : SCOPE_PAUSED, __ATOMIC_RELEASE);
	}
}

static void cut_calls(struct tracer *tracer)
{
	int err = settle_cut(tracer->kernel, tracer->recorder);

	if (!err)
		return;
	tracer->blind = true;
	log_error("calls that were under way when the probes were taken out cannot be told from later ones: %s",
		  shortage_explain(err).text);
}

/* The kernel may remove a probe later than it says, so what calls have asked for goes at once. */
u64 link_switch_off(struct tracer *tracer)
{
	tracer->probes_off = true;
	serve_all(tracer, false);
	each_link(tracer, take_out);
	cut_calls(tracer);
	return clock_now_ns();
}

u64 link_switch_on(struct tracer *tracer)
{
	u64 since_ns;

	/* Again: of a program that was under way too. */
	cut_calls(tracer);
	tracer->probes_off = false;
	each_link(tracer, put_in);
	since_ns = clock_now_ns();
	serve_all(tracer, true);
	return since_ns;
}

void link_switch_end_frees(struct tracer *tracer)
{
	tracer->leave_out |= ATTACH_NO_FREE;
	each_link(tracer, end_frees);
}
