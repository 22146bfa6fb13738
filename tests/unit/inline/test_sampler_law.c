/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/inline/blob/: an allocation of s bytes is sampled with probability 1 - exp(-s / R), whatever its function, and in threads and
 * forked children as well. Counts are random, so they are compared in standard errors: |z| <= 6 fails once in 5 * 10^8 times, and there are
 * some 30 comparisons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inline/blob/gap.h"
#include "inline/blob/seed.h"

#include "sampler_process.h"

#define Z_MAX 6

static __thread u64 count_told[SAMPLER_SITES], told_object;

static void on_trap(int number, siginfo_t *info, void *argument)
{
	u32 site = process_site(argument);

	(void)number;
	(void)info;
	if (site == SAMPLER_SITES)
		abort();
	count_told[site]++;
	if (site == SAMPLER_BORN)
		told_object = (u64)((ucontext_t *)argument)->uc_mcontext.gregs[REG_RDI];
}

/* Every object is another one. */
static __thread u64 made;

__attribute__((visibility("hidden"))) u64 original_malloc(u64 size)
{
	(void)size;
	return ++made << 4;
}

__attribute__((visibility("hidden"))) u64 original_realloc(u64 old, u64 size)
{
	(void)old;
	return original_malloc(size);
}

__attribute__((visibility("hidden"))) void original_free(u64 object)
{
	(void)object;
}

PROCESS_ALLOC(malloc, 1, 0, "%rdi");
PROCESS_REALLOC(realloc, 7);
PROCESS_FREE(free, 1, "%rdi");
u64 sampled_malloc(u64 size);

/* Whose count another thread has drawn anew when it comes to the slow path. */
__asm__(PROCESS_ROW(raced, 1, 0) ".set original_raced, original_malloc\n" PROCESS_NAME(
	raced) "mov %rdi, %r10\n" PROCESS_SLOT "movq $1000000, (%r11)\n" PROCESS_SLOW(raced, 0));
u64 sampled_raced(u64 size);
u64 sampled_realloc(u64 old, u64 size);
void sampled_free(u64 object);

static void begin(u64 sample_bytes)
{
	process_begin(sample_bytes, 10);
	process_on_trap(on_trap);
	memset(count_told, 0, sizeof(count_told));
}

/* How often it is sampled in `calls` calls; the sample is freed, so that the table has room. */
static u64 samples_of(u64 size, u64 calls)
{
	u64 before = count_told[SAMPLER_BORN];

	for (u64 i = 0; i < calls; i++) {
		u64 object = sampled_malloc(size);

		if (told_object == object)
			sampled_free(object);
	}
	return count_told[SAMPLER_BORN] - before;
}

static double probability(double size, double sample_bytes)
{
	return -expm1(-size / sample_bytes);
}

static double z_of(u64 samples, u64 calls, double p)
{
	return ((double)samples - (double)calls * p) / sqrt((double)calls * p * (1 - p));
}

static void assert_law(u64 samples, u64 calls, double p)
{
	double z = z_of(samples, calls, p);

	if (fabs(z) > Z_MAX)
		fail_msg("%lu samples of %lu calls, p = %.6f: z = %.2f", samples, calls, p, z);
}

/* random: from 0 to 2^64 - 1 at all magnitudes, of u and of 1 - u. */
static void test_gap_is_the_logarithm(void **state)
{
	const u64 mean = 1ULL << 57;
	double worst = 0;

	(void)state;
	for (u64 i = 0; i < 2000000; i++) {
		u64 number = splitmix64(i) >> (i % 64), random = i & 64 ? ~number : number;
		double u = (double)(random ? random : 1) * 0x1p-64, rest = (double)-random * 0x1p-64;
		double truth = (u > 0.5 ? -log1p(-rest) : -log(u)) * (double)mean;
		double error = fabs((double)gap_of(random, mean) - truth) - 1;

		if (error / truth > worst)
			worst = error / truth;
	}
	assert_true(worst < 2e-6);
	assert_int_equal(gap_of(0, UINT64_MAX), GAP_MAX);
	assert_int_equal(gap_of(UINT64_MAX, 1), 0);
}

static void test_law_holds_for_each_size(void **state)
{
	static const struct {
		u64 size, sample_bytes, calls;
	} rows[] = {
		{0, 16, 300000},	 {1, 16, 300000},
		{16, 512, 1000000},	 {100, 4096, 1000000},
		{4096, 4096, 50000},	 {16384, 4096, 30000},
		{64, 524288, 50000000},	 {1000, 524288, 10000000},
		{300000, 524288, 60000}, {1ULL << 40, 1ULL << 40, 30000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		u64 size = rows[i].size;

		begin(rows[i].sample_bytes);
		assert_law(samples_of(size, rows[i].calls), rows[i].calls,
			   probability(size ? (double)size : 1, (double)rows[i].sample_bytes));
		process_end();
	}
}

/* Many runs, so that not the mean alone is right: the sum of 200 z^2 leaves 90 .. 350 less than once in 10^8 times. */
static void test_law_runs_are_independent(void **state)
{
	double sum = 0;

	(void)state;
	for (u32 run = 0; run < 200; run++) {
		double z;

		begin(4096);
		process_config->session = run; /* without which all runs were the same */
		z = z_of(samples_of(431, 10000), 10000, probability(431, 4096));
		sum += z * z;
		process_end();
	}
	if (sum < 90 || sum > 350)
		fail_msg("the sum of z^2 is %.1f", sum);
}

static void test_law_holds_for_mixed_sizes(void **state)
{
	double expected = 0, variance = 0, z;
	u64 samples = 0;

	(void)state;
	begin(4096);
	for (u64 i = 0; i < 1000000; i++) {
		u64 size = splitmix64(i) >> (52 + i % 12);
		double p = probability(size ? (double)size : 1, 4096);

		samples += samples_of(size, 1);
		expected += p;
		variance += p * (1 - p);
	}
	process_end();
	z = ((double)samples - expected) / sqrt(variance);
	if (fabs(z) > Z_MAX)
		fail_msg("%lu samples, %.1f expected: z = %.2f", samples, expected, z);
}

/* Its old object is a sample, or only looks like one to the filter: nothing was subtracted. */
static void assert_law_of_realloc(u64 size, u64 sample_bytes)
{
	u64 calls = 50000, samples[2] = {0};

	begin(sample_bytes);
	for (u64 i = 0; i < calls; i++) {
		u64 object, before;

		do {
			object = sampled_malloc(1 << 20);
		} while (object != told_object);
		before = count_told[SAMPLER_BORN];
		sampled_free(sampled_realloc(object + (1ULL << 36), size));
		samples[0] += count_told[SAMPLER_BORN] - before;
		before = count_told[SAMPLER_BORN];
		sampled_free(sampled_realloc(object, size));
		samples[1] += count_told[SAMPLER_BORN] - before;
	}
	process_end();
	assert_law(samples[0], calls, probability((double)size, (double)sample_bytes));
	assert_law(samples[1], calls, probability((double)size, (double)sample_bytes));
	assert_int_equal(count_told[SAMPLER_MOVED], calls);
	assert_int_equal(count_told[SAMPLER_SETTLED], calls);
}

static void test_law_holds_for_realloc_on_the_slow_path(void **state)
{
	(void)state;
	assert_law_of_realloc(2000, 4096);
	assert_law_of_realloc(1, 16);
}

static void test_law_holds_where_another_thread_has_drawn(void **state)
{
	u64 calls = 200000;

	(void)state;
	begin(4096);
	for (u64 i = 0; i < calls; i++)
		sampled_free(sampled_raced(1000));
	process_end();
	assert_law(count_told[SAMPLER_BORN], calls, probability(1000, 4096));
}

/* As the kernel may do with memory of their kind. */
static void test_law_holds_where_slots_are_dropped(void **state)
{
	const u64 rounds = 60000, calls = 7;
	u64 samples = 0;

	(void)state;
	begin(4096);
	for (u64 i = 0; i < rounds; i++) {
		process_config->session = i; /* a processor's random numbers are not had everywhere */
		samples += samples_of(300, calls);
		memset(process_slots, 0, SAMPLER_SLOTS * sizeof(struct sampler_slot));
	}
	process_end();
	assert_law(samples, rounds * calls, probability(300, 4096));
}

static void test_never_is_never_and_can_be_changed(void **state)
{
	(void)state;
	begin(4096);
	samples_of(100, 1000);
	process_config->sample_bytes = 0;
	assert_int_equal(samples_of(1ULL << 62, 100000), 0);
	process_end();
}

#define THREADS 8
#define CALLS	4000000

static u8 slot_used[SAMPLER_SLOTS];

/* A thread that would share another one's slot makes no calls: both would lose what they subtract at the same time. */
static void *work(void *ret_samples)
{
	u32 pointer;

	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	if (__atomic_exchange_n(&slot_used[pointer * SAMPLER_HASH >> (32 - SAMPLER_SLOT_BITS)], 1, __ATOMIC_SEQ_CST))
		return NULL;
	made = pointer;
	*(u64 *)ret_samples = samples_of(100, CALLS);
	return ret_samples;
}

static void test_law_holds_in_threads(void **state)
{
	u64 samples[THREADS] = {0};
	pthread_t threads[THREADS];
	void *worked;

	(void)state;
	begin(65536);
	for (u32 i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &samples[i]), 0);
	for (u32 i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &worked), 0);
		if (worked)
			assert_law(samples[i], CALLS, probability(100, 65536));
	}
	process_end();
}

#define CHILDREN 1000

/* A child, its child, and so on: each makes 20 calls. With its parent's count it would do as its brothers do. */
static void descend(u64 *samples, u32 generations)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		samples[0] = samples_of(20, 20);
		if (generations > 1)
			descend(samples + 1, generations - 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void assert_children_follow_the_law(u32 has_rdrand)
{
	u64 *shared = mmap(NULL, SAMPLER_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u64 samples[2] = {0}, with_samples[2] = {0};

	assert_ptr_not_equal(shared, MAP_FAILED);
	begin(4096);
	process_config->has_rdrand = has_rdrand;
	samples_of(431, 10000);
	for (u32 i = 0; i < CHILDREN; i++) {
		descend(shared, 2);
		for (u32 generation = 0; generation < 2; generation++) {
			samples[generation] += shared[generation];
			with_samples[generation] += shared[generation] > 0;
		}
	}
	process_end();
	munmap(shared, SAMPLER_PAGE);
	for (u32 generation = 0; generation < 2; generation++) {
		assert_law(samples[generation], 20 * CHILDREN, probability(20, 4096));
		assert_law(with_samples[generation], CHILDREN, probability(20 * 20, 4096));
	}
}

static void test_law_holds_in_children(void **state)
{
	(void)state;
	assert_children_follow_the_law(0);
	if (__builtin_cpu_supports("rdrnd"))
		assert_children_follow_the_law(1);
}

/* A child has its parent's objects, and frees them for itself. */
static void test_child_tells_the_end_of_what_it_inherits(void **state)
{
	u64 object;
	int status;
	pid_t pid;

	(void)state;
	begin(1);
	object = sampled_malloc(1 << 20);
	assert_int_equal(count_told[SAMPLER_BORN], 1);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		sampled_free(object);
		_exit((int)count_told[SAMPLER_FREED]);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(count_told[SAMPLER_FREED], 0);
	sampled_free(object);
	assert_int_equal(count_told[SAMPLER_FREED], 1);
	process_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gap_is_the_logarithm),
		cmocka_unit_test(test_law_holds_for_each_size),
		cmocka_unit_test(test_law_runs_are_independent),
		cmocka_unit_test(test_law_holds_for_mixed_sizes),
		cmocka_unit_test(test_law_holds_for_realloc_on_the_slow_path),
		cmocka_unit_test(test_law_holds_where_another_thread_has_drawn),
		cmocka_unit_test(test_law_holds_where_slots_are_dropped),
		cmocka_unit_test(test_never_is_never_and_can_be_changed),
		cmocka_unit_test(test_law_holds_in_threads),
		cmocka_unit_test(test_law_holds_in_children),
		cmocka_unit_test(test_child_tells_the_end_of_what_it_inherits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
