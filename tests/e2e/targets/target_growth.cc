// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs whose memory goes a known way by time, so that the model collector sees few cycles: "target_growth LAW SECONDS".
 * What is asked for follows from the clock alone, so a process that was kept waiting catches up. Blocks are not written
 * to, but for the allocator's own words, so little of them is resident. Each law has sites of its own, and beside it
 * as much again is allocated and freed at once.
 *
 * "all" runs every law in a process of its own, which has the law's name, and ends with them.
 */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <thread>

namespace
{

constexpr std::size_t block_bytes = 64 << 10;
constexpr double blocks_per_second = 144; /* 9 MiB/s: 800 samples of the default interval in 45 s */

/* Noinline and opaque: each is a call site of its own, and no allocation is optimised away. */
#define SITE(name)                                                                                                     \
	__attribute__((noipa)) char *name()                                                                            \
	{                                                                                                              \
		char *volatile block = static_cast<char *>(std::malloc(block_bytes));                                  \
                                                                                                                       \
		return block;                                                                                          \
	}
SITE(request)
SITE(leak)
SITE(step)
SITE(entry)
SITE(class_data)
SITE(wave)
SITE(swell)
SITE(session)

std::mt19937 chance(1);

/* A service: a map that nobody shortens, of keys and values from call sites of their own. */
struct service {
	std::map<int, std::unique_ptr<char[]>> answers;

	__attribute__((noipa)) void remember()
	{
		answers.emplace(static_cast<int>(chance()), new char[block_bytes]);
	}
};

service cached;
std::deque<char *> held;

void hold(char *(*site)(), double wanted)
{
	while (held.size() < wanted)
		held.push_back(site());
}

void do_service(double seconds, double)
{
	while (static_cast<double>(cached.answers.size()) < blocks_per_second * seconds)
		cached.remember();
}

void do_leak(double seconds, double)
{
	hold(leak, blocks_per_second * seconds);
}

/* One in five seconds. */
void do_steps(double seconds, double)
{
	hold(step, 5 * blocks_per_second * std::floor(seconds / 5));
}

/* Fills for a third of the time, then stays. */
void do_cache(double seconds, double whole)
{
	hold(entry, 2 * blocks_per_second * std::fmin(seconds, whole / 3));
}

void do_warmup(double seconds, double whole)
{
	hold(class_data, 25 * blocks_per_second * (1 - std::exp(-10 * seconds / whole)));
}

/* From one to thirty and back at once, in a second. */
void do_oscillation(double seconds, double)
{
	double part = seconds - std::floor(seconds);

	while (held.size() > blocks_per_second * (1 + 29 * part) + 1) {
		std::free(held.back());
		held.pop_back();
	}
	hold(wave, blocks_per_second * (1 + 29 * part));
}

/* From five to 160 MiB and back, the oldest going first, 200 times in 45 seconds. */
void do_tide(double seconds, double)
{
	constexpr double least = 80, period = 0.225;
	double part = seconds / period - std::floor(seconds / period);
	double wanted = least * (1 + 31 * (part < 0.5 ? 2 * part : 2 - 2 * part));

	while (held.size() > wanted + 1) {
		std::free(held.front());
		held.pop_front();
	}
	hold(swell, wanted);
}

/* Sessions that live for two seconds on average. */
void do_turnover(double seconds, double)
{
	static double made;

	for (; made < blocks_per_second * seconds; made++) {
		if (held.size() > 2 * blocks_per_second) {
			std::swap(held[chance() % held.size()], held.back());
			std::free(held.back());
			held.pop_back();
		}
		held.push_back(session());
	}
}

const struct law {
	const char *name;
	void (*go)(double seconds, double whole);
} laws[] = {
	{"service", do_service}, {"leak", do_leak},	    {"steps", do_steps},
	{"cache", do_cache},	 {"warmup", do_warmup},	    {"oscillation", do_oscillation},
	{"tide", do_tide},	 {"turnover", do_turnover},
};

/* A blocking wait between looks at the clock: the law says what is due, however long it took. */
void run(const law &law, double whole)
{
	auto start = std::chrono::steady_clock::now();
	double seconds = 0, requests = 0;

	prctl(PR_SET_NAME, law.name);
	while (seconds < whole) {
		seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
		law.go(seconds, whole);
		for (; requests < blocks_per_second * seconds; requests++)
			std::free(request());
		std::this_thread::sleep_for(std::chrono::milliseconds(20));
	}
	_exit(0);
}

int run_all(double whole)
{
	int failed = 0, status;

	for (const law &law : laws)
		if (!fork())
			run(law, whole);
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

} // namespace

int main(int argc, char **argv)
{
	double whole = argc > 2 ? std::atof(argv[2]) : 0;

	if (whole > 0 && !std::strcmp(argv[1], "all"))
		return run_all(whole);
	for (const law &law : laws)
		if (whole > 0 && !std::strcmp(argv[1], law.name))
			run(law, whole);
	return 2;
}
