/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/budget.h"

#include <math.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "heap/go_objects.h"
#include "system/procfs.h"
#include "trace/bpf_maps.h"
#include "trace/link_switch.h"
#include "trace/tracee.h"
#include "trace/tracer_internal.h"

#define WORK_LEAST    0.05	    /* of CPU time, which is no trap's in any case */
#define READ_SPACE_NS 100000	    /* for each process, between two readings of all */
#define LOOK_SPACE_NS 1000000000ULL /* while an interval has too little CPU time to tell */

void budget_begin(struct tracer *tracer, double limit_percent, bool inlined)
{
	struct budget *budget = &tracer->budget;

	budget->overhead = (struct overhead){
		.limit_percent = limit_percent,
		/* Not of every process of the machine: see NEED_CHOSEN. */
		.may_hint = !inlined && tracer->population != POPULATION_ALL,
		.may_end_frees = !inlined && !(tracer->leave_out & ATTACH_NO_FREE),
		.may_window = !inlined,
		.scale = 1,
	};
	budget->inlined = inlined;
	budget->interval_ns = budget->looked_ns = clock_now_ns();
	recorder_restraint(tracer->recorder)->limit_percent = limit_percent;
	if (limit_percent > 0)
		tracer->leave_out |= ATTACH_FREE_APART;
}

/* --- measuring ------------------------------------------------------------------------------------------------------ */

/* Deaths are those that are known; few others, of objects that have a finalizer or a weak pointer, pass there too. */
static u64 go_hits(const struct image *image, struct hits hits)
{
	const struct heap *objects = go_objects_heap(image);

	return hits.born + (objects ? objects->freed_count : 0);
}

/* Adds what has come since `*before`. A counter that cannot be read says 0. */
static void add_since(u64 *sum, u64 *before, u64 now)
{
	if (now <= *before)
		return;
	*sum += now - *before;
	*before = now;
}

/* It has had so much by now. Clocks of processes that are gone say 0. */
static void add(struct budget_sums *sums, struct image *image, struct hits hits, u64 cpu_ns)
{
	add_since(&sums->alloc_hits, &image->paid.alloc_hits, hits.alloc);
	add_since(&sums->free_hits, &image->paid.free_hits, hits.free);
	add_since(&sums->go_hits, &image->paid.go_hits, go_hits(image, hits));
	if (!image->paid.cpu_ns)
		image->paid.cpu_ns = image->cpu_start_ns;
	add_since(&sums->cpu_ns, &image->paid.cpu_ns, cpu_ns);
}

void budget_settled(struct tracer *tracer, struct image *image)
{
	struct hits hits;

	if (!image || !(tracer->budget.overhead.limit_percent > 0))
		return;
	hits = (struct hits){image->ledger[COUNTER_HITS_ALLOC], image->ledger[COUNTER_HITS_FREE],
			     image->ledger[COUNTER_AGES_BORN]};
	add(&tracer->budget.sums, image, hits, image->cpu_end_ns);
}

/* What the probes in Go's runtime cost. No call returns from there to heaptap, so a hit costs what one of a free does. */
static double go_cost_ns(const struct tracer *tracer, const struct budget_sums *from, const struct budget_sums *to)
{
	return (double)(to->go_hits - from->go_hits) * tracer->calibration.free_ns;
}

static double cost_ns(const struct tracer *tracer, const struct budget_sums *from, const struct budget_sums *to)
{
	return (double)(to->alloc_hits - from->alloc_hits) * tracer->calibration.alloc_ns +
	       (double)(to->free_hits - from->free_hits) * tracer->calibration.free_ns + go_cost_ns(tracer, from, to);
}

/* Traps may be cheaper than they were measured to be: some work is done all the same. */
static void add_work(const struct tracer *tracer, const struct budget_sums *before, struct budget_sums *sums)
{
	double cpu_ns = (double)(sums->cpu_ns - before->cpu_ns), left_ns = cpu_ns - cost_ns(tracer, before, sums);

	sums->work_ns += left_ns > cpu_ns * WORK_LEAST ? left_ns : cpu_ns * WORK_LEAST;
}

/* The work done so far. */
static u64 read_all(struct tracer *tracer)
{
	struct budget *budget = &tracer->budget;

	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		struct image *image = tracee_image(tracer, tracee);

		if (image)
			add(&budget->sums, image, kernel_read_hits(tracer->kernel, image->number),
			    procfs_cpu_ns(tracee->pid));
	}
	add_work(tracer, &budget->read, &budget->sums);
	budget->read = budget->sums;
	return (u64)budget->sums.work_ns;
}

/* --- steps ---------------------------------------------------------------------------------------------------------- */

/* What the probes of a window did not see counts in those that they saw, from `now_ns` on. */
static void set_scale(struct tracer *tracer, u64 now_ns)
{
	struct restraint_state *restraint = recorder_restraint(tracer->recorder);

	restraint->scale_before = restraint->scale;
	restraint->scale = tracer->budget.overhead.scale;
	restraint->scale_ns = now_ns;
	if (restraint->scale > restraint->scale_most)
		restraint->scale_most = restraint->scale;
	if (!restraint->scaled_ns)
		restraint->scaled_ns = now_ns;
}

static u32 random_word(void)
{
	u32 word = 0;

	/* Words are to be had since the machine began. */
	if (getrandom(&word, sizeof(word), 0) < 0)
		return 0;
	return word;
}

static void end_frees(struct tracer *tracer)
{
	/* The moment comes first: what is told of births and deaths after it is passed over. */
	recorder_restraint(tracer->recorder)->frees_ended_ns = clock_now_ns();
	kernel_end_frees(tracer->kernel);
	link_switch_end_frees(tracer);
}

static void change_windows(struct tracer *tracer)
{
	struct budget *budget = &tracer->budget;
	u64 now_ns = tracer->probes_off ? clock_now_ns() : link_switch_off(tracer), work_ns = read_all(tracer);

	set_scale(tracer, now_ns);
	if (budget->overhead.scale > 1) {
		windows_begin(&budget->windows, budget->overhead.scale, work_ns, random_word());
		return;
	}
	windows_end(&budget->windows, work_ns);
	link_switch_on(tracer);
}

/* Where every call traps, the interval is no matter. */
static const char *advice(const struct budget *budget)
{
	if (!overhead_inline_helps(&budget->overhead))
		return "Go's own samples take that: a larger runtime.MemProfileRate makes fewer";
	return budget->inlined ? "a larger -R makes fewer samples" : "with --inline only samples would trap";
}

static void say(const struct budget *budget, enum overhead_step step, double percent, double seconds)
{
	char measured[128];
	u32 scale = budget->overhead.scale;

	snprintf(measured, sizeof(measured), "overhead %.1f %% over the last %.0f s (limit %g %%)", percent, seconds,
		 budget->overhead.limit_percent);
	if (step == OVERHEAD_HINT)
		log_note("%s: with --inline only samples would trap; less is traced if it goes on", measured);
	else if (step == OVERHEAD_END_FREES)
		log_note("%s: frees are not traced any more, and what is in use is known up to this moment only",
			 measured);
	else if (step == OVERHEAD_RARER)
		log_note(
			"%s: the probes are on for 0.1 s of CPU time out of %.1f s, drawn at random, and what is allocated "
			"then counts %u times",
			measured, scale * WINDOW_NS / 1e9, scale);
	else if (step == OVERHEAD_DENSER && scale > 1)
		log_note("%s: the probes are on for 0.1 s of CPU time out of %.1f s now", measured,
			 scale * WINDOW_NS / 1e9);
	else if (step == OVERHEAD_DENSER)
		log_note("%s: the probes are on all the time again", measured);
	else if (step == OVERHEAD_DETACH)
		log_note("%s: heaptap detaches, and the recording ends here; %s", measured, advice(budget));
}

static void count_step(struct tracer *tracer)
{
	for (const struct tracee *tracee = tracer->tracees; tracee; tracee = tracee->hh.next) {
		struct image *image = tracee_image(tracer, tracee);

		if (image)
			image->ledger[COUNTER_BUDGET_STEPS]++;
	}
}

static void take(struct tracer *tracer, enum overhead_step step, u64 now_ns)
{
	switch (step) {
	case OVERHEAD_KEEP:
		return;
	case OVERHEAD_HINT:
		break;
	case OVERHEAD_END_FREES:
		end_frees(tracer);
		break;
	case OVERHEAD_RARER:
	case OVERHEAD_DENSER:
		change_windows(tracer);
		break;
	case OVERHEAD_DETACH:
		recorder_restraint(tracer->recorder)->detached_ns = now_ns;
		break;
	}
	count_step(tracer);
}

/* --- in time -------------------------------------------------------------------------------------------------------- */

/* An interval is over: whole periods, as the windows of some cost all. */
static bool is_due(const struct budget *budget, u64 now_ns, u64 work_ns)
{
	return now_ns - budget->interval_ns >= BUDGET_INTERVAL_NS &&
	       budget->sums.cpu_ns - budget->interval.cpu_ns >= BUDGET_CPU_NS &&
	       (!budget->windows.scale || windows_period_is_over(&budget->windows, work_ns));
}

static void look_at_interval(struct tracer *tracer, u64 now_ns, u64 work_ns)
{
	struct budget *budget = &tracer->budget;
	double cpu_ns = (double)(budget->sums.cpu_ns - budget->interval.cpu_ns);
	double percent, seconds = (double)(now_ns - budget->interval_ns) / 1e9;
	enum overhead_step step;

	if (!is_due(budget, now_ns, work_ns))
		return;
	percent = overhead_percent(cost_ns(tracer, &budget->interval, &budget->sums), cpu_ns);
	budget->overhead.go_percent = overhead_percent(go_cost_ns(tracer, &budget->interval, &budget->sums), cpu_ns);
	step = overhead_decide(&budget->overhead, percent);
	take(tracer, step, now_ns);
	say(budget, step, percent, seconds);
	budget->interval = budget->sums;
	budget->interval_ns = clock_now_ns();
}

/* From chance, and from what is not known of the cost of a trap. */
static void note_error(struct tracer *tracer)
{
	struct budget *budget = &tracer->budget;
	double bias;

	budget->window_cost_ns += cost_ns(tracer, &budget->opened, &budget->sums);
	budget->window_cpu_ns += (double)(budget->sums.cpu_ns - budget->opened.cpu_ns);
	bias = overhead_bias(overhead_percent(budget->window_cost_ns, budget->window_cpu_ns));
	recorder_restraint(tracer->recorder)->scale_error = hypot(windows_error(&budget->windows), bias);
}

static void look_at_windows(struct tracer *tracer, u64 work_ns)
{
	struct budget *budget = &tracer->budget;

	switch (windows_look(&budget->windows, work_ns, random_word())) {
	case WINDOW_STAYS:
		return;
	case WINDOW_OPENS:
		link_switch_on(tracer);
		work_ns = read_all(tracer);
		budget->opened = budget->sums;
		windows_opened(&budget->windows, work_ns);
		break;
	case WINDOW_CLOSES:
		link_switch_off(tracer);
		work_ns = read_all(tracer);
		windows_closed(&budget->windows, work_ns, budget->sums.alloc_hits - budget->opened.alloc_hits);
		note_error(tracer);
		break;
	}
}

bool budget_is_spent(const struct tracer *tracer)
{
	return tracer->budget.overhead.detached;
}

/* Reading a process takes some microseconds, of which thousands are not to have many. */
static bool is_time_to_read(const struct tracer *tracer, u64 now_ns)
{
	const struct budget *budget = &tracer->budget;

	if (budget->windows.scale)
		return now_ns - budget->looked_ns >= HASH_COUNT(tracer->tracees) * READ_SPACE_NS;
	return now_ns - budget->interval_ns >= BUDGET_INTERVAL_NS && now_ns - budget->looked_ns >= LOOK_SPACE_NS;
}

void budget_look(struct tracer *tracer, u64 now_ns)
{
	struct budget *budget = &tracer->budget;

	if (!(budget->overhead.limit_percent > 0) || budget->overhead.detached || !is_time_to_read(tracer, now_ns))
		return;
	budget->looked_ns = now_ns;
	look_at_interval(tracer, now_ns, read_all(tracer));
	if (budget->windows.scale)
		look_at_windows(tracer, (u64)budget->sums.work_ns);
}
