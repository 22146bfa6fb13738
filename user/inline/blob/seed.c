/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/blob/seed.h"

#include "inline/blob/image.h"
#include "inline/blob/syscall.h"

#define RDRAND_TRIES 16 /* Intel asks for 10; it fails while others empty it */

static bool rdrand(u64 *ret_random)
{
	for (u32 i = 0; i < RDRAND_TRIES; i++) {
		u64 random;
		bool valid;

		__asm__ volatile("rdrand %0" : "=r"(random), "=@ccc"(valid));
		if (valid) {
			*ret_random = random;
			return true;
		}
	}
	return false;
}

static u64 of_process(void)
{
	u64 random;

	if (sampler_config.has_rdrand && rdrand(&random))
		return random;
	return (u64)syscall_0(SYSCALL_GETPID);
}

u64 seed_new(const void *slot)
{
	u64 thread, canary, seed;

	__asm__("mov %%fs:0, %0" : "=r"(thread));
	__asm__("mov %%fs:0x28, %0" : "=r"(canary));
	seed = splitmix64(of_process() + SPLITMIX_STEP);
	seed = splitmix64(seed ^ sampler_config.session);
	seed = splitmix64(seed ^ canary);
	seed = splitmix64(seed ^ thread);
	seed = splitmix64(seed ^ (u64)(uintptr_t)slot);
	return seed ? seed : SPLITMIX_STEP;
}
