/* SPDX-License-Identifier: GPL-2.0-or-later */
/* return_site.c and plan.c on functions of this program, which are parts of one another as a compiler makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "probe/plan.h"
#include "probe/return_site.h"

/* Never called; each with the symbol and size that a compiler gives it. */
#define CODE(text)	     asm(".pushsection .text\n" text "\n.popsection\n")
#define FUNCTION(name, text) CODE(".type " name ", @function\n" name ": " text "\n.size " name ", . - " name)

FUNCTION("site_plain", "push %rbx\n test %edi, %edi\n je 1f\n pop %rbx\n ret\n 1: pop %rbx\n ret");
/* In two parts; the second returns as well, and jumps back. */
FUNCTION("site_split", "push %rbx\n test %edi, %edi\n je site_split.cold\n 1: pop %rbx\n ret");
FUNCTION("site_split.cold", "test %esi, %esi\n je site_split + 5\n pop %rbx\n ret\n ud2");
/* They end in other functions: by a jump, and each in the other. */
FUNCTION("site_tail", "push %rbx\n pop %rbx\n jmp site_plain");
FUNCTION("site_ping", "push %rbx\n pop %rbx\n test %edi, %edi\n je site_pong\n ret");
FUNCTION("site_pong", "test %esi, %esi\n je site_ping\n ret");
/* As in a stripped file: unwind information tells where the code begins and ends. */
FUNCTION("site_described", "push %rbx\n pop %rbx\n test %edi, %edi\n je described\n ret");
CODE(".cfi_startproc\n described: nop\n ret\n nop\n ret\n .cfi_endproc");
/* To code that nothing describes, through a pointer, nowhere. */
FUNCTION("site_nameless", "push %rbx\n pop %rbx\n jmp nameless");
CODE("nop\n nameless: ret");
FUNCTION("site_pointer", "push %rbx\n pop %rbx\n jmp *8(%rdi)");
FUNCTION("site_endless", "push %rbx\n 1: jmp 1b");
FUNCTION("site_put", "push %rbx\n pop %rbx\n ret");
FUNCTION("site_empty", "ret");

static struct elf *self;

static int setup(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	return elf_open(fd, "test_return_site", &self);
}

static int teardown(void **state)
{
	(void)state;
	elf_free(self);
	return 0;
}

struct named {
	const char *name;
	u64 offset, size;
};

static int match(const struct elf_symbol *symbol, void *arg)
{
	struct named *named = arg;

	if (!strcmp(symbol->name, named->name))
		*named = (struct named){named->name, symbol->offset, symbol->size};
	return 0;
}

static struct named find(const char *name)
{
	struct named named = {.name = name};

	assert_int_equal(elf_for_each_function(self, match, &named), 0);
	assert_true(named.offset);
	return named;
}

static struct return_sites sites_of(const char *name)
{
	struct named named = find(name);
	struct return_sites sites;

	assert_int_equal(return_site_find(self, named.offset, named.size, &sites), 0);
	for (unsigned int i = 0; i < sites.count; i++) {
		u8 code = 0;

		assert_int_equal(elf_read(self, sites.offset[i], &code, 1), 1);
		assert_int_equal(code, 0xc3);
	}
	return sites;
}

static void assert_found(const char *name, unsigned int count)
{
	struct return_sites sites = sites_of(name);

	if (sites.unseen || sites.count != count)
		fail_msg("%s: %u returns, %s", name, sites.count, sites.unseen ? sites.unseen : "all");
}

static void test_returns_of_a_function_are_all_found(void **state)
{
	(void)state;
	assert_found("site_plain", 2);
}

static void test_returns_of_a_part_elsewhere_are_found(void **state)
{
	(void)state;
	assert_found("site_split", 2);
}

static void test_returns_of_a_function_that_it_ends_in_are_found(void **state)
{
	(void)state;
	assert_found("site_tail", 2);
	assert_found("site_ping", 2);
}

static void test_returns_of_a_part_without_a_name_are_found(void **state)
{
	(void)state;
	assert_found("site_described", 3);
}

static void test_returns_that_cannot_be_found_are_said(void **state)
{
	(void)state;
	assert_non_null(sites_of("site_nameless").unseen);
	assert_non_null(sites_of("site_pointer").unseen);
	assert_non_null(sites_of("site_endless").unseen);
}

/* --- the plan --- */

static struct plan plan;

static void plan_with(const char *functions)
{
	struct custom_allocator *pool;

	assert_int_equal(custom_allocator_parse(functions, &pool), 0);
	assert_int_equal(plan_make(self, pool, &plan), 0);
	custom_allocator_free(pool);
}

static void test_plan_probes_each_return_once(void **state)
{
	(void)state;
	plan_with("test_return_site:site_plain(size=1)=ret,site_tail(size=1)=ret,site_put(ptr=1)");
	assert_int_equal(plan.probe_count, 3);
	assert_int_equal(plan.return_count, 2);
	for (u32 i = 0; i < plan.probe_count; i++) {
		assert_true(plan.probes[i].pool);
		assert_null(plan.probes[i].unseen);
		assert_false(plan_cookie(&plan.probes[i], 1, 2) & COOKIE_RETURN_UNSEEN);
	}
	assert_int_equal(cookie_kind(plan_return_cookie(1, 2)), CALL_RETURN);
}

static void test_plan_counts_a_function_without_known_returns_at_its_entry(void **state)
{
	(void)state;
	plan_with("test_return_site:site_pointer(size=1)=ret,site_put(ptr=1)");
	assert_int_equal(plan.return_count, 0);
	for (u32 i = 0; i < plan.probe_count; i++) {
		bool gets = plan.probes[i].kind == CALL_MALLOC;

		assert_int_equal(plan.probes[i].unseen != NULL, gets);
		assert_int_equal(!!(plan_cookie(&plan.probes[i], 1, 2) & COOKIE_RETURN_UNSEEN), gets);
		assert_int_equal(cookie_kind(plan_cookie(&plan.probes[i], 1, 2)), plan.probes[i].kind);
		assert_int_equal(cookie_scope(plan_cookie(&plan.probes[i], 1, 2)), 1);
		assert_int_equal(cookie_allocator(plan_cookie(&plan.probes[i], 1, 2)), 2);
	}
}

/* One address cannot have two probes of one link. */
static void test_plan_of_a_function_that_only_returns_has_no_return(void **state)
{
	(void)state;
	plan_with("test_return_site:site_empty(size=1)=ret,site_put(ptr=1)");
	assert_int_equal(plan.return_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_returns_of_a_function_are_all_found),
		cmocka_unit_test(test_returns_of_a_part_elsewhere_are_found),
		cmocka_unit_test(test_returns_of_a_function_that_it_ends_in_are_found),
		cmocka_unit_test(test_returns_of_a_part_without_a_name_are_found),
		cmocka_unit_test(test_returns_that_cannot_be_found_are_said),
		cmocka_unit_test(test_plan_probes_each_return_once),
		cmocka_unit_test(test_plan_counts_a_function_without_known_returns_at_its_entry),
		cmocka_unit_test(test_plan_of_a_function_that_only_returns_has_no_return),
	};

	return cmocka_run_group_tests_name("return_site", tests, setup, teardown);
}
