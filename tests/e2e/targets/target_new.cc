// SPDX-License-Identifier: GPL-2.0-or-later
// operator new that fails and is caught, as a program would: asked for far too much, and for little when there is no
// more to be had. It ends with 0 only when everything was caught. Run by test_new, with one allocator after another.
#include <cstddef>
#include <new>
#include <sys/resource.h>

extern "C" {
#include "target.h"
}

static void *volatile sink;
static volatile std::size_t absurd = std::size_t(1) << 62;

__attribute__((noinline)) static int catch_absurd()
{
	try {
		sink = operator new(absurd);
	} catch (const std::bad_alloc &) {
		return 1;
	}
	return 0;
}

__attribute__((noinline)) static int catch_absurd_array()
{
	try {
		sink = operator new[](absurd + 1);
	} catch (const std::bad_alloc &) {
		return 1;
	}
	return 0;
}

// Small ones until there is no more. What has been had is left to the end of the process.
__attribute__((noinline)) static int catch_small()
{
	try {
		for (;;)
			sink = operator new(100000);
	} catch (const std::bad_alloc &) {
		return 1;
	}
}

int main()
{
	rlimit limit = {};
	int caught;

	target_await();
	for (int i = 0; i < 50; i++) {
		sink = operator new(4321);
		if (i % 5)
			operator delete(sink);
	}
	caught = catch_absurd() + catch_absurd_array();
	limit.rlim_cur = limit.rlim_max = std::size_t(1) << 30;
	if (setrlimit(RLIMIT_AS, &limit))
		return 3;
	caught += catch_small();
	return caught == 3 ? 0 : 1;
}
