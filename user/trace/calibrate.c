/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/calibrate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "system/address_map.h"
#include "system/proc_maps.h"
#include "trace/bpf_maps.h"

#define SCOPE	0
#define BATCHES 5
#define CALLS	200 /* a batch; all of it takes some milliseconds */

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

struct own_code {
	u64 addr, offset;
};

static int find_own_code(struct mapping *mapping, void *arg)
{
	struct own_code *code = arg;

	if (code->addr < mapping->start || code->addr >= mapping->end)
		return 0;
	code->offset = code->addr - mapping->start + mapping->file_offset;
	return 1;
}

int calibrate_find_offset(void (*function)(void), u64 *ret_offset)
{
	struct own_code code = {.addr = (u64)function};

	if (proc_maps_for_each(getpid(), find_own_code, &code) != 1)
		return -ENOENT;
	*ret_offset = code.offset;
	return 0;
}

static int plan_own(struct plan *plan)
{
	int err = 0;

	memset(plan, 0, sizeof(*plan));
	for (int i = 0; i < 2 && !err; i++) {
		err = calibrate_find_offset(i ? (void (*)(void))calibrate_site_free
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

static void *call_in_thread(void *function)
{
	(*(void (**)(void))function)();
	return NULL;
}

int calibrate_call_elsewhere(void (*function)(void))
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, call_in_thread, &function);

	return err ? -err : -pthread_join(thread, NULL);
}

static int check_threads(struct kernel *kernel, u32 process, bool *ret_right)
{
	u64 ledger[COUNTER_MAX] = {0};
	int err = calibrate_call_elsewhere(call_alloc);

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

int calibrate(struct kernel *kernel, enum attach_kind kind, struct calibration *ret)
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
	attach_close_later(attach);
	return err;
}
