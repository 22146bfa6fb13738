/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/go_ages.h"

#include <errno.h>

#include "base/log.h"
#include "heap/go_objects.h"
#include "heap/go_profile.h"
#include "system/shortage.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"
#include "trace/translated.h"

/* In detail only of a population, whose programs are many. */
static void say_unknown(const struct tracer *tracer, const struct image *image, const char *reason)
{
	if (tracer->population == POPULATION_LISTED)
		log_note("pid %u: how old the objects become that Go samples is not known: %s", image->pid, reason);
	else
		log_detail("pid %u: how old the objects become that Go samples is not known: %s", image->pid, reason);
}

void go_ages_begin(struct tracer *tracer, const struct tracee *tracee, struct image *image, struct binary *file,
		   const struct go_sites *sites)
{
	int err;

	if (tracer->stopping || kernel_programs(tracer->kernel)->go < 0)
		return;
	if (!sites || !file) {
		say_unknown(tracer, image, "the code of its runtime is not what heaptap knows of that version");
		return;
	}
	err = tracee_probe_go(tracer, file, sites);
	if (err && err != TRANSLATED)
		say_unknown(tracer, image, shortage_explain(err).text);
	if (err)
		return;
	go_objects_begin(image->go, recorder_options(tracer->recorder), image);
	__atomic_store_n(&kernel_scope(tracer->kernel, tracee->scope)->go, image->number, __ATOMIC_RELEASE);
}
