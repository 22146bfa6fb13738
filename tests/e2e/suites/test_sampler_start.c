/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When calls that have met probes so far can be left to the sampler: a thread is taken to where they cannot. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/libc_sampler.h"
#include "inline/sampler_start.h"
#include "system/stopped_threads.h"
#include "system/thread_stop.h"

#define PAGE  4096
#define TRIES 200

struct standing {
	struct running_sampler *sampler;
	u64 at;	    /* where a thread is taken to; 0: it is left where it is */
	int signal; /* that it gets there; 0: none */
};

/* Have the only thread go on until it stands there: by a breakpoint, as single steps take long beside other work. */
static void go_to(struct stopped_threads *threads, u64 address)
{
	struct stopped_thread *thread = &threads->threads[0];
	const u8 breakpoint = 0xcc;
	struct thread_stop stop;
	u8 code;

	assert_int_equal(pread(threads->memory, &code, 1, (off_t)address), 1);
	assert_int_equal(pwrite(threads->memory, &breakpoint, 1, (off_t)address), 1);
	assert_int_equal(ptrace(PTRACE_CONT, thread->tid, NULL, NULL), 0);
	assert_int_equal(thread_stop_wait(thread->tid, threads->until_ns, &stop), 0);
	assert_int_equal(ptrace(PTRACE_GETREGS, thread->tid, NULL, &thread->registers), 0);
	assert_int_equal(thread->registers.rip, address + 1);
	thread->registers.rip = address;
	assert_int_equal(ptrace(PTRACE_SETREGS, thread->tid, NULL, &thread->registers), 0);
	assert_int_equal(pwrite(threads->memory, &code, 1, (off_t)address), 1);
}

/* Whether calls could be left to the sampler now. */
static int stand_and_check(struct stopped_threads *threads, void *arg)
{
	const struct standing *standing = arg;

	if (standing->at)
		go_to(threads, standing->at);
	threads->threads[0].signal = standing->signal;
	return sampler_start_check(&standing->sampler, 1, threads);
}

static int check_standing(const struct libc_sampler *in, struct standing *standing)
{
	return stopped_threads_do(in->injected.target.pid, STOPPED_ALL, DEADLINE_MS * 1000000ull, stand_and_check,
				  standing, NULL);
}

/* A function whose probe is behind what the jump takes the place of, and which the target calls soon. */
static const struct injection_patch *probed_behind(const struct libc_sampler *in)
{
	const struct running_sampler *sampler = &in->sampler;
	u32 i = 0;

	while (i < in->plan.probe_count && strcmp(in->plan.probes[i].symbol, "posix_memalign"))
		i++;
	assert_true(i < in->plan.probe_count);
	for (u32 k = 0; k < sampler->patch_count; k++) {
		const struct injection_patch *patch = &sampler->patches[k];

		if (patch->probe % PAGE == in->plan.probes[i].offset % PAGE &&
		    patch->probe >= patch->address + patch->size)
			return patch;
	}
	fail_msg("it is not probed behind its jump");
	return NULL;
}

/* A call that has passed the place of the jump, and is still to meet the probe, would be seen by neither. */
static void test_sampler_start_waits_for_calls_on_the_way_to_their_probe(void **state)
{
	static const char *const words[] = {"1", "mallocs", NULL};
	struct libc_sampler in;
	struct standing standing = {.sampler = &in.sampler};
	const struct injection_patch *patch;

	(void)state;
	libc_sampler_begin(&in, words);
	libc_sampler_load(&in);
	patch = probed_behind(&in);
	standing.at = patch->address + patch->size;
	assert_int_equal(check_standing(&in, &standing), -EAGAIN);
	standing.at = patch->probe;
	assert_int_equal(check_standing(&in, &standing), -EAGAIN);
	/* It will go on there when the handler returns. */
	standing.signal = SIGUSR1;
	assert_int_equal(check_standing(&in, &standing), -EAGAIN);
	injected_await_held(&in.injected);
	standing = (struct standing){.sampler = &in.sampler};
	for (int i = 0; i < 3; i++)
		assert_int_equal(check_standing(&in, &standing), -EAGAIN);
	in.injected.page->release = 1;
	injected_check(&in.injected);
	for (int i = 0; i < TRIES && check_standing(&in, &standing); i++)
		assert_in_range(i, 0, TRIES - 2);
	running_sampler_release(&in.sampler);
	libc_sampler_end(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sampler_start_waits_for_calls_on_the_way_to_their_probe),
	};

	return cmocka_run_group_tests_name("sampler_start", tests, NULL, NULL);
}
