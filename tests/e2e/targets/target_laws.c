/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Five like call sites, site_0 to site_4, whose objects live by one law of six, named by the first argument. Each holds
 * 904 blocks of 128 KiB, which at one sample in 512 KiB are 200 samples, or as many on average; for 80 rounds.
 *
 * A round is what a cycle of the model collector becomes: as many bytes are allocated as are alive. A ballast of
 * one block makes rounds long from the start, and a pacer, which frees what it makes, allocates what the law does not.
 * So nothing here goes by time. Blocks are never written to: what is resident are the allocator's own words.
 *
 * At the end the second argument, a file, gets lines of two numbers: nanoseconds of CLOCK_REALTIME, and the bytes that
 * all sites together had leaked by then.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SITES	   5
#define BLOCK	   (128 << 10)
#define PACED	   (16 << 20)
#define LIVE	   904
#define ROUNDS	   80
#define STEPS	   100 /* a round */
#define BALLAST	   ((size_t)SITES * LIVE * BLOCK)
#define FEW	   (LIVE / 50) /* alive at a time, so that a life is 0.02 rounds */
#define PEAK	   (2 * LIVE)  /* of the sawtooth */
#define PERIOD	   13	       /* of the sawtooth, in rounds */
#define MEAN_LIFE  5
#define FILLING	   15 /* rounds */
#define LEAK_SHARE 0.01
#define TURNOVER   20 /* objects beside one that leaks */

struct site {
	void *(*make)(void);
	void *slots[PEAK];
	unsigned int count, peak;
	unsigned int held; /* by a leak or a cache: for good */
	double due;	   /* births, the fraction that is left of them */
};

static struct {
	long long time_ns;
	unsigned long long leaked_bytes;
} history[ROUNDS * STEPS];

static struct site sites[SITES];
static unsigned long long alive_bytes, leaked_bytes;
static double owed_bytes; /* what must be allocated for the round to take its course */
static void *volatile lost;

/* Separate functions with the same code: so their call sites differ. */
#define SITE(n)                                                                                                        \
	__attribute__((noipa)) static void *site_##n(void)                                                             \
	{                                                                                                              \
		void *volatile block = malloc(BLOCK);                                                                  \
                                                                                                                       \
		return block;                                                                                          \
	}
SITE(0)
SITE(1)
SITE(2)
SITE(3)
SITE(4)

__attribute__((noipa)) static void pacer(void)
{
	void *volatile block = malloc(PACED);

	free(block);
}

/* Marsaglia's xorshift64, from one seed: each run does the same. */
static unsigned int chance(unsigned int below)
{
	static unsigned long long state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned int)(state >> 32) % below;
}

static void *make(struct site *site)
{
	owed_bytes -= BLOCK;
	alive_bytes += BLOCK;
	return site->make();
}

static void drop(void **slot)
{
	if (*slot)
		alive_bytes -= BLOCK;
	free(*slot);
	*slot = NULL;
}

static void replace(struct site *site, unsigned int slot)
{
	drop(&site->slots[slot]);
	site->slots[slot] = make(site);
}

static void hold(struct site *site)
{
	lost = make(site);
	site->held++;
}

/* --- the laws: births in a round, and what happens at one ----------------------------------------------------------- */

static double births_transient(const struct site *site, unsigned int round)
{
	(void)site, (void)round;
	return LIVE;
}

static void birth_transient(struct site *site)
{
	replace(site, site->count++ % FEW);
}

static double births_turnover(const struct site *site, unsigned int round)
{
	(void)site, (void)round;
	return (double)LIVE / MEAN_LIFE;
}

/* Who goes is drawn by lot, so that lives are exponential. */
static void birth_turnover(struct site *site)
{
	replace(site, chance(LIVE));
}

static double births_cache(const struct site *site, unsigned int round)
{
	(void)site;
	return round < FILLING ? (double)LIVE / FILLING : 0;
}

static double births_sawtooth(const struct site *site, unsigned int round)
{
	(void)site, (void)round;
	return (double)PEAK / PERIOD;
}

/* The first peak is lower, and at each site another. */
static void birth_sawtooth(struct site *site)
{
	unsigned int peak = site->peak ? site->peak : PEAK / SITES * (unsigned int)(site - sites + 1);

	if (site->count == peak) {
		while (site->count > 0)
			drop(&site->slots[--site->count]);
		site->peak = PEAK;
	}
	site->slots[site->count++] = make(site);
}

static double births_leak(const struct site *site, unsigned int round)
{
	return round ? LEAK_SHARE * site->held : LIVE;
}

static void leak(struct site *site)
{
	hold(site);
	leaked_bytes += BLOCK;
}

static double births_leak_beside(const struct site *site, unsigned int round)
{
	return births_turnover(site, round) * (TURNOVER + 1) / TURNOVER;
}

static void birth_leak_beside(struct site *site)
{
	if (chance(TURNOVER + 1))
		birth_turnover(site);
	else
		leak(site);
}

static const struct law {
	const char *name;
	double (*births)(const struct site *site, unsigned int round);
	void (*birth)(struct site *site);
} laws[] = {
	{"transient", births_transient, birth_transient},
	{"turnover", births_turnover, birth_turnover},
	{"cache", births_cache, hold},
	{"sawtooth", births_sawtooth, birth_sawtooth},
	{"leak", births_leak, leak},
	{"leak-beside", births_leak_beside, birth_leak_beside},
};

/* --- rounds --------------------------------------------------------------------------------------------------------- */

static void step(const struct law *law, unsigned int round)
{
	owed_bytes += (double)alive_bytes / STEPS;
	for (struct site *site = sites; site < sites + SITES; site++)
		for (site->due += law->births(site, round) / STEPS; site->due >= 1; site->due--)
			law->birth(site);
	for (; owed_bytes >= PACED; owed_bytes -= PACED)
		pacer();
}

static void note(unsigned int at)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	history[at].time_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	history[at].leaked_bytes = leaked_bytes;
}

static int run(const struct law *law)
{
	static void *(*const makers[SITES])(void) = {site_0, site_1, site_2, site_3, site_4};

	/* Everything but the ballast from one heap, without a system call for each block. */
	mallopt(M_MMAP_THRESHOLD, 2 * PACED);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	for (unsigned int i = 0; i < SITES; i++)
		sites[i].make = makers[i];
	lost = malloc(BALLAST);
	alive_bytes += BALLAST;
	for (unsigned int i = 0; i < ROUNDS * STEPS; i++) {
		step(law, i / STEPS);
		note(i);
	}
	return lost ? 0 : 1;
}

static int write_history(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return 1;
	for (unsigned int i = 0; i < ROUNDS * STEPS; i++)
		fprintf(file, "%lld %llu\n", history[i].time_ns, history[i].leaked_bytes);
	return fclose(file) ? 1 : 0;
}

int main(int argc, char **argv)
{
	for (unsigned int i = 0; argc > 2 && i < sizeof(laws) / sizeof(*laws); i++)
		if (!strcmp(argv[1], laws[i].name))
			return run(&laws[i]) || write_history(argv[2]);
	return 2;
}
