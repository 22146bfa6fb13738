/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocations from instantiations of one template: two of them, each with two sizes from one line; and a template that
 * is inlined into another one, which is inlined into a function. All are freed at once.
 */
#include <cstdint>
#include <cstdlib>

#include "target.h"

static void *volatile sink;

template <typename element> __attribute__((noinline)) static void allocate_elements(size_t count)
{
	sink = malloc(count * sizeof(element));
	free(sink);
}

template <typename element> __attribute__((always_inline)) static inline void store_inlined(size_t count)
{
	sink = malloc(count * sizeof(element));
	free(sink);
}

template <typename element> __attribute__((always_inline)) static inline void store_twice_inlined(size_t count)
{
	store_inlined<element>(count);
}

__attribute__((noinline)) static void store_both_types()
{
	store_twice_inlined<uint32_t>(16);
	store_twice_inlined<uint64_t>(8);
}

int main()
{
	target_await();
	for (size_t size = 128; size <= 256; size *= 2)
		allocate_elements<uint32_t>(size / sizeof(uint32_t));
	for (size_t size = 32; size <= 64; size *= 2)
		allocate_elements<uint64_t>(size / sizeof(uint64_t));
	store_both_types();
	return 0;
}
