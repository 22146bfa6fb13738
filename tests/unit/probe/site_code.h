/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Code to look for a site in, and what must be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "probe/site.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Each byte string ends where the literal ends. */
/* The first `count` arguments. */
#define ARGUMENTS(count) ((1u << (count)) - 1)
#define FIND(kind, arg_count, code, ret_site)                                                                          \
	site_find((const u8 *)(code), sizeof(code) - 1, kind, ARGUMENTS(arg_count), false, ret_site)

static inline struct site found(int err, const struct site *site)
{
	assert_int_equal(err, 0);
	return *site;
}

static inline void assert_symbol_itself(struct site site)
{
	assert_int_equal(site.offset, 0);
	assert_false(site.emulated);
	assert_false(site.skips_null);
	assert_int_equal(site.arg[0], ARG_DI);
	assert_int_equal(site.arg[1], ARG_SI);
	assert_int_equal(site.arg[2], ARG_DX);
}

static inline void assert_emulated_at(struct site site, u64 offset, unsigned int arg1)
{
	assert_true(site.emulated);
	assert_int_equal(site.offset, offset);
	assert_int_equal(site.arg[0], arg1);
}

/* One instruction behind endbr64: is it a site? */
static inline bool is_site(const char *instruction, size_t size)
{
	u8 code[32] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct site site;

	memcpy(code + 4, instruction, size);
	memset(code + 4 + size, 0xcc, 8);
	assert_int_equal(site_find(code, 4 + size + 8, CALL_MALLOC, ARGUMENTS(1), false, &site), 0);
	assert_int_equal(site.offset, site.emulated ? 4 : 0);
	return site.emulated;
}
#define IS_SITE(instruction) is_site(instruction, sizeof(instruction) - 1)
