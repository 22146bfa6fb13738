// SPDX-License-Identifier: GPL-2.0-or-later
// An allocator of the program's own whose functions throw, a common C++ idiom. Of SLOTS objects that it gets, KEPT are in use
// at the end. It ends with 0 only when every exception was caught. With an argument a forked child does all that.
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include "target.h"
}

#define SLOTS 16
#define KEPT  12

static char slots[SLOTS][256];
static bool taken[SLOTS];

struct pool_empty : std::runtime_error {
	pool_empty() : std::runtime_error("empty")
	{
	}
};

extern "C" __attribute__((noinline)) void *pool_get(std::size_t size)
{
	if (size > sizeof(slots[0]))
		throw std::length_error("too large");
	for (int i = 0; i < SLOTS; i++) {
		if (!taken[i]) {
			taken[i] = true;
			return slots[i];
		}
	}
	throw pool_empty();
}

extern "C" __attribute__((noinline)) void pool_put(void *object)
{
	for (int i = 0; i < SLOTS; i++) {
		if (object == slots[i]) {
			taken[i] = false;
			return;
		}
	}
	throw std::invalid_argument("not of this pool");
}

// In place, or not at all.
extern "C" __attribute__((noinline)) void *pool_resize(void *object, std::size_t size)
{
	if (size > sizeof(slots[0]))
		throw std::length_error("too large");
	if (!object)
		return pool_get(size);
	return object;
}

template <typename Work> static int refuses(Work work)
{
	try {
		work();
	} catch (const std::exception &) {
		return 1;
	}
	return 0;
}

static int work()
{
	static void *held[SLOTS];
	int refused = 0;

	for (int i = 0; i < SLOTS; i++)
		held[i] = pool_get(64);
	for (int i = 0; i < 4; i++)
		refused += refuses([] { pool_get(64); });
	refused += refuses([] { pool_get(1000); });
	refused += refuses([] { pool_put(&held); });
	refused += refuses([] { pool_resize(held[0], 1000); });
	for (int i = 0; i < SLOTS - KEPT; i++)
		pool_put(held[SLOTS - 1 - i]);
	held[0] = pool_resize(held[0], 72);
	return refused == 7 ? 0 : 1;
}

int main(int argc, char **)
{
	int status = 0;
	pid_t child;

	target_await();
	if (argc == 1)
		return work();
	child = fork();
	if (child == 0)
		_exit(work());
	return child < 0 || waitpid(child, &status, 0) != child || status ? 1 : 0;
}
