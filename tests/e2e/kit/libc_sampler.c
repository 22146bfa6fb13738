/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libc_sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "binary/elf.h"
#include "system/proc_maps.h"

#define TRIES 200

static int find_libc(struct mapping *mapping, void *arg)
{
	struct libc_sampler *in = arg;

	if (!mapping->path || !strstr(mapping->path, "/libc.so.6"))
		return 0;
	in->mapping = *mapping;
	in->mapping.path = NULL;
	return 1;
}

void libc_sampler_begin(struct libc_sampler *in, const char *const *words)
{
	int file;

	*in = (struct libc_sampler){.sampler.file = -1};
	injected_start(&in->injected, words);
	assert_int_equal(proc_maps_for_each(in->injected.target.pid, find_libc, in), 1);
	file = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_open(file, "libc.so.6", &in->elf), 0);
	assert_int_equal(plan_make(in->elf, NULL, &in->plan), 0);
}

void libc_sampler_end(struct libc_sampler *in)
{
	elf_free(in->elf);
	injected_release(&in->injected);
}

bool libc_sampler_is_busy(const struct libc_sampler *in)
{
	return injection_may_pass(in->sampler.err);
}

void libc_sampler_load(struct libc_sampler *in)
{
	const struct sampler_settings settings = {
		.sample_bytes = LIBC_SAMPLER_BYTES,
		.session = 0x5e55,
		.memory_bytes = 1ULL << 30,
	};
	int tries = TRIES;

	do {
		running_sampler_release(&in->sampler);
		assert_int_equal(running_sampler_load(in->injected.target.pid, &in->mapping, in->elf, &in->plan,
						      &settings, &in->sampler),
				 0);
	} while (libc_sampler_is_busy(in) && --tries);
	assert_string_equal(in->sampler.reason, "");
}
