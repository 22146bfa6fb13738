// SPDX-License-Identifier: GPL-2.0-or-later
// Every way to allocate in C and C++, given back by its own counterpart, as allocators that check demand: ten times each, five of
// which stay. Each way asks for a size of its own. Run by test_pairs.
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <new>

#include "target.h"

#define TIMES 10
#define KEEP(allocate, give_back)                                                                                      \
	for (int i = 0; i < TIMES; i++) {                                                                              \
		void *volatile block = (allocate);                                                                     \
		if (i % 2)                                                                                             \
			give_back;                                                                                     \
	}

static void *aligned(size_t size)
{
	void *block = nullptr;

	return posix_memalign(&block, 64, size) ? nullptr : block;
}

int main()
{
	const std::align_val_t wide{128};
	static char text[] =
		"a string, the length of which no other block of this program has, namely that of 90 or so bytes";

	target_await();
	KEEP(malloc(20001), free(block))
	KEEP(calloc(1, 20002), free(block))
	KEEP(realloc(malloc(50), 20003), free(block))
	KEEP(reallocarray(nullptr, 1, 20004), free(block))
	KEEP(memalign(256, 20005), free(block))
	KEEP(aligned_alloc(64, 20032), free(block))
	KEEP(aligned(20006), free(block))
	KEEP(valloc(20007), free(block))
	KEEP(strdup(text), free(block))
	KEEP(::operator new(20008), ::operator delete(block))
	KEEP(::operator new[](20009), ::operator delete[](block))
	KEEP(::operator new(20010), ::operator delete(block, (size_t)20010))
	KEEP(::operator new[](20011), ::operator delete[](block, (size_t)20011))
	KEEP(::operator new(20012, std::nothrow), ::operator delete(block, std::nothrow))
	KEEP(::operator new[](20013, std::nothrow), ::operator delete[](block, std::nothrow))
	KEEP(::operator new(20096, wide), ::operator delete(block, wide))
	KEEP(::operator new[](20224, wide), ::operator delete[](block, wide))
	KEEP(::operator new(20352, wide), ::operator delete(block, (size_t)20352, wide))
	KEEP(::operator new(20480, wide, std::nothrow), ::operator delete(block, wide, std::nothrow))
	return 0;
}
