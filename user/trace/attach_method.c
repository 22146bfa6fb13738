/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/attach_method.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "system/memory_room.h"
#include "system/shortage.h"
#include "trace/bpf_maps.h"
#include "trace/feature.h"
#include "trace/link_keeper.h"

#define SCOPE	0
#define BATCHES 5
#define CALLS	200 /* a batch; all of it takes some milliseconds */

/* --- what a hit costs ----------------------------------------------------------------------------------------------- */

/* Two functions whose first instruction the kernel emulates, as at good sites. */
void calibrate_site_alloc(u64 alignment, u64 size);
void calibrate_site_free(void *addr);
asm(".pushsection .text\n"
    ".type calibrate_site_alloc, @function\n"
    "calibrate_site_alloc: push %rbp\n pop %rbp\n ret\n"
    ".size calibrate_site_alloc, . - calibrate_site_alloc\n"
    ".type calibrate_site_free, @function\n"
    "calibrate_site_free: push %rbp\n pop %rbp\n ret\n"
    ".size calibrate_site_free, . - calibrate_site_free\n"
    ".popsection\n");

static int plan_own(struct plan *plan)
{
	int err = 0;

	memset(plan, 0, sizeof(*plan));
	for (int i = 0; i < 2 && !err; i++) {
		err = feature_find_offset(i ? (void (*)(void))calibrate_site_free
					    : (void (*)(void))calibrate_site_alloc,
					  &plan->probes[i].offset);
		plan->probes[i].arg[0] = ARG_DI;
		plan->probes[i].arg[1] = ARG_SI;
	}
	/* An alignment that passes to malloc makes the whole entry run, and no sample is taken. */
	plan->probes[0].kind = CALL_ALIGNED;
	plan->probes[1].kind = CALL_FREE;
	plan->probe_count = 2;
	return err;
}

static void call_alloc(void)
{
	calibrate_site_alloc(1, 1);
}

static void call_free(void)
{
	calibrate_site_free(NULL);
}

/* The quickest of some batches: any disturbance makes a batch slower. */
static double measure(void (*call)(void))
{
	double best = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		u64 start = clock_now_ns();
		double each;

		for (int i = 0; i < CALLS; i++)
			call();
		each = (double)(clock_now_ns() - start) / CALLS;
		if (!batch || each < best)
			best = each;
	}
	return best;
}

static int check_threads(struct kernel *kernel, u32 process, bool *ret_right)
{
	u64 ledger[COUNTER_MAX] = {0};
	int err = feature_call_elsewhere(call_alloc);

	if (!err)
		err = kernel_take_tally(kernel, process, ledger);
	*ret_right = ledger[COUNTER_HITS_ALLOC] == 1;
	return err;
}

static int run(struct kernel *kernel, u32 process, struct calibration *ret)
{
	u64 ledger[COUNTER_MAX] = {0};
	int err;

	ret->alloc_ns = measure(call_alloc);
	ret->free_ns = measure(call_free);
	err = kernel_take_tally(kernel, process, ledger);
	if (err)
		return err;
	/* A hit that was sampled did not see the arguments of its call. */
	if (ledger[COUNTER_HITS_ALLOC] != BATCHES * CALLS || ledger[COUNTER_HITS_FREE] != BATCHES * CALLS ||
	    ledger[COUNTER_SAMPLED])
		return -EOPNOTSUPP;
	return check_threads(kernel, process, &ret->filter_is_right);
}

/* 0; -EOPNOTSUPP: links can be made but do not fire; or what attach_open says. */
static int calibrate(struct kernel *kernel, enum attach_kind kind, struct calibration *ret)
{
	struct scope *scope = kernel_scope(kernel, SCOPE);
	u32 process = kernel_draw_process(kernel);
	struct attach *attach = NULL;
	struct plan plan;
	int fd, err;

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = plan_own(&plan);
	if (!err)
		err = attach_open(kind, kernel_programs(kernel), fd, &plan, getpid(), SCOPE, 0, 0, &attach);
	close(fd);
	if (err)
		return err;
	__atomic_store_n(&scope->process, process, __ATOMIC_RELEASE);
	err = run(kernel, process, ret);
	__atomic_store_n(&scope->process, 0, __ATOMIC_RELEASE);
	attach_close(attach);
	return err;
}

/* --- which way works ------------------------------------------------------------------------------------------------ */

static int try_kind(enum attach_kind kind, struct kernel_options *options, struct kernel **ret_kernel,
		    struct calibration *ret_calibration)
{
	struct kernel *kernel;
	int err;

	options->kind = kind;
	err = kernel_open(options, &kernel);
	if (err)
		return err;
	err = calibrate(kernel, kind, ret_calibration);
	if (err) {
		kernel_close(kernel);
		return err;
	}
	log_detail("attaching by %s; a hit costs %.2f us (allocation) and %.2f us (free) here", attach_kind_name(kind),
		   ret_calibration->alloc_ns / 1000, ret_calibration->free_ns / 1000);
	*ret_kernel = kernel;
	return 0;
}

/* The way that HEAPTAP_ATTACH in the environment asks for, ATTACH_NONE when it is unset. 0 or -EINVAL, which is logged. */
static int find_forced(enum attach_kind *ret_kind)
{
	const char *name = getenv("HEAPTAP_ATTACH");

	for (*ret_kind = name ? ATTACH_PERF : ATTACH_NONE; *ret_kind != ATTACH_NONE; --*ret_kind)
		if (!strcmp(name, attach_kind_name(*ret_kind)))
			return 0;
	if (!name)
		return 0;
	log_error("HEAPTAP_ATTACH='%s' is none of session, multi and perf; unset it for the best that works", name);
	return -EINVAL;
}

static void say_smaller(u64 left, const struct footprint *usual, const struct footprint *chosen)
{
	log_note(
		"heaptap's control group has %s of memory left, so its BPF maps take %s instead of %s: a ring of %s instead "
		"of %s, %s objects followed at a time instead of %s; it may lose more, which is counted; a higher limit, "
		"or a start in another group, gives all",
		units_bytes((double)left).text, units_bytes((double)footprint_maps(chosen)).text,
		units_bytes((double)footprint_maps(usual)).text, units_bytes(chosen->ring_bytes).text,
		units_bytes(usual->ring_bytes).text, units_digits(chosen->live_rows).text,
		units_digits(usual->live_rows).text);
}

/* Too little is said before the kernel has to kill a process of the group, which may be the one to be traced. */
static int choose_footprint(struct kernel_options *options)
{
	bool dense = options->sample_bytes < DENSE_BELOW_BYTES;
	u32 cpus = (u32)get_nprocs_conf();
	struct footprint usual = footprint_choose(dense, cpus, UINT64_MAX);
	struct memory_room room = memory_room_read("");
	u64 left = memory_room_left(&room);

	options->footprint = options->small ? footprint_least(cpus) : footprint_choose(dense, cpus, left);
	if (left < footprint_needed(&options->footprint)) {
		log_error(
			"heaptap's control group has %s of memory left of %s, and heaptap needs %s to start; raise the "
			"limit, or start heaptap in another group",
			units_bytes((double)left).text, units_bytes((double)room.limit).text,
			units_bytes((double)footprint_needed(&options->footprint)).text);
		return STATUS_FAILED;
	}
	if (!options->small && footprint_maps(&options->footprint) < footprint_maps(&usual))
		say_smaller(left, &usual, &options->footprint);
	return STATUS_DONE;
}

/* How calls that map memory are seen; HEAPTAP_MAPPINGS=tracepoint asks for what costs more (for tests). */
static int choose_region_method(struct kernel_options *options)
{
	const char *forced = getenv("HEAPTAP_MAPPINGS");
	int err = forced && !strcmp(forced, "tracepoint") ? -EOPNOTSUPP : feature_regions(REGIONS_BY_FUNCTION);
	struct privileges privileges;
	char sentence[512];

	options->region_method = err ? REGIONS_BY_TRACEPOINT : REGIONS_BY_FUNCTION;
	if (!err)
		return STATUS_DONE;
	err = feature_regions(REGIONS_BY_TRACEPOINT);
	if (!err) {
		log_note(
			"--mappings: this kernel lets no program be attached to its functions, so all system calls are looked at, "
			"and each of this machine takes longer until heaptap stops; see docs/cost.md");
		return STATUS_DONE;
	}
	if (shortage_is(err) || privileges_read(&privileges)) {
		log_error("--mappings: %s", shortage_explain(err).text);
		return STATUS_FAILED;
	}
	feature_text_explain(FEATURE_SYSCALLS, err, &privileges, sentence, sizeof(sentence));
	log_error("cannot do --mappings: %s; without it everything else is recorded", sentence);
	return STATUS_UNSUPPORTED;
}

int attach_method_choose(struct kernel_options *options, struct kernel **ret_kernel,
			 struct calibration *ret_calibration)
{
	enum attach_kind first = ATTACH_SESSION, last = ATTACH_PERF, forced = ATTACH_NONE;
	int err = find_forced(&forced), status;

	if (err)
		return STATUS_USAGE;
	err = link_keeper_start();
	if (err) {
		log_error("cannot start the process that holds the probes: %s", shortage_explain(err).text);
		return STATUS_FAILED;
	}
	if (forced != ATTACH_NONE)
		first = last = forced;
	status = choose_footprint(options);
	if (!status && options->regions)
		status = choose_region_method(options);
	if (status)
		return status;
	for (enum attach_kind kind = first; kind <= last; kind++) {
		err = try_kind(kind, options, ret_kernel, ret_calibration);
		if (!err)
			return STATUS_DONE;
		log_detail("attaching by %s does not work: %s", attach_kind_name(kind), strerror(-err));
		/* Without the right to do it at all, or for want of descriptors, the next way fails alike. */
		if (err == -EPERM || err == -EACCES || shortage_is(err))
			break;
	}
	if (forced == ATTACH_NONE || shortage_is(err))
		return attach_method_explain("probe", err);
	log_error("cannot probe by %s, which HEAPTAP_ATTACH asks for: %s; unset it for the best that works",
		  attach_kind_name(forced), strerror(-err));
	return STATUS_UNSUPPORTED;
}

/* The verifier gives up with E2BIG, of which strerror says "Argument list too long". */
static const char *explain(int err)
{
	return err == -E2BIG
		       ? "the kernel's verifier finds the BPF programs of this build too complex; build heaptap with another "
			 "clang, and please report the versions of clang and kernel"
		       : strerror(-err);
}

int attach_method_explain(const char *do_what, int err)
{
	struct privileges privileges;
	enum feature_id missing = FEATURE_NONE;
	struct features features;
	char sentence[512];

	/* No feature can be tried then. */
	if (shortage_is(err)) {
		log_error("cannot %s: %s", do_what, shortage_explain(err).text);
		return STATUS_FAILED;
	}
	if (!privileges_read(&privileges)) {
		feature_probe(&features);
		missing = feature_text_missing(&features);
	}
	if (!missing) {
		log_error("cannot %s: %s; 'heaptap doctor' says what this kernel and these privileges allow", do_what,
			  explain(err));
		return STATUS_FAILED;
	}
	feature_text_explain(missing, features.error[missing], &privileges, sentence, sizeof(sentence));
	log_error("cannot %s: %s", do_what, sentence);
	return shortage_is(features.error[missing]) ? STATUS_FAILED : STATUS_UNSUPPORTED;
}
