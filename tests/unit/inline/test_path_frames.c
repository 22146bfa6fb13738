/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inline/path_frames: at each instruction of a path the rule is the one that the file has for that instruction at its old place;
 * for this machine's allocators and for functions written for it. Paths are taken to lie where the file has other code, so that
 * their entries can be read as the file's own are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "inline/path_frames.h"
#include "unit/inline/grafted_file.h"
#include "unwind/cfi_entries.h"

#define FRAMES 0x7000000ULL /* where they are taken to lie */

struct scene {
	struct elf *elf;
	struct plan plan;
	struct cfi_section sections[CFI_SECTION_COUNT];
	struct cfi_entries own, made; /* what the file says, and what was made for the paths */
	struct framed_path paths[RANGES_MAX];
	struct moved_code moved[RANGES_MAX];
};

/* --- the paths --- */

static void make_path(struct scene *scene, u32 number)
{
	const struct plan_probe *probe = &scene->plan.probes[number];
	struct framed_path *path = &scene->paths[number];
	u64 offset = probe->offset - probe->site.offset;
	u8 *code;

	assert_int_equal(elf_offset_to_vaddr(scene->elf, offset, &path->function), 0);
	assert_int_equal(elf_read_bytes(scene->elf, offset, 64, 64, &code), 0);
	/* Over the function and what follows it: the path must lie in code of the file. */
	path->start = path->function + 1;
	path->original = path->function + 32;
	path->moved = &scene->moved[number];
	assert_null(moved_code_make(code, 64, path->function, path->original, MOVED_CODE_FIRST, &scene->moved[number]));
	path->end = path->original + path->moved->size + 16;
	free(code);
}

static struct scene *open_scene(const char *path)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	int err;

	assert_non_null(scene);
	scene->elf = open_elf(path);
	assert_int_equal(plan_make(scene->elf, NULL, &scene->plan), 0);
	for (u32 i = 0; i < scene->plan.probe_count; i++)
		make_path(scene, i);
	err = cfi_sections_read(scene->elf, scene->sections);
	assert_true(!err || err == -ENODATA);
	assert_int_equal(cfi_entries_read(scene->elf, scene->sections, &scene->own), 0);
	return scene;
}

static void close_scene(struct scene *scene)
{
	cfi_entries_release(&scene->own);
	cfi_sections_release(scene->sections);
	elf_free(scene->elf);
	free(scene);
}

/* --- rules --- */

struct looking {
	u64 distance;
	struct unwind_rule rule;
};

static int look(void *arg, u64 distance, const struct unwind_rule *rule, bool is_lost)
{
	struct looking *looking = arg;

	assert_false(is_lost);
	if (distance <= looking->distance)
		looking->rule = *rule;
	return 0;
}

/* In force at that address. False: nothing is said of it. */
static bool rule_at(const struct cfi_entries *entries, u64 address, struct unwind_rule *ret_rule)
{
	struct looking looking = {0};

	for (u32 i = 0; i < entries->function_count; i++) {
		const struct cfi_function *function = &entries->functions[i];

		looking.distance = address - function->address;
		if (looking.distance >= function->size)
			continue;
		assert_int_equal(cfi_function_run(function, &entries->commons[function->common], look, &looking), 0);
		*ret_rule = looking.rule;
		return true;
	}
	return false;
}

static void assert_same_rule(const struct scene *scene, const struct cfi_entries *made, u64 at, u64 in_function,
			     const char *symbol)
{
	struct unwind_rule rule, expected;

	assert_true(rule_at(&scene->own, in_function, &expected));
	if (!rule_at(made, at, &rule) || memcmp(&rule, &expected, sizeof(rule)) != 0)
		fail_msg("%s: another rule at %#llx than at %#llx", symbol, (unsigned long long)at,
			 (unsigned long long)in_function);
}

static void check_path(const struct scene *scene, const struct cfi_entries *made, u32 number)
{
	const struct framed_path *path = &scene->paths[number];
	const struct moved_code *moved = path->moved;
	const char *symbol = scene->plan.probes[number].symbol;
	u64 entry = path->function + moved->skip;
	struct unwind_rule rule;

	assert_same_rule(scene, made, path->start, entry, symbol);
	assert_same_rule(scene, made, path->original - 1, entry, symbol);
	for (u32 i = 0; i < moved->place_count; i++)
		if (moved->places[i].to < moved->size)
			assert_same_rule(scene, made, path->original + moved->places[i].to,
					 path->function + moved->places[i].from, symbol);
	assert_same_rule(scene, made, path->original + moved->size, entry, symbol);
	assert_same_rule(scene, made, path->end - 1, entry, symbol);
	assert_false(rule_at(made, path->end, &rule));
}

/* The entries of one path, so that they do not overlap with another's. How many there are. */
static u32 check_alone(struct scene *scene, u32 number)
{
	struct cfi_section sections[CFI_SECTION_COUNT] = {[CFI_EH_FRAME] = {.is_eh_frame = true, .address = FRAMES}};
	struct cfi_section *section = &sections[CFI_EH_FRAME];
	struct cfi_entries made;
	u32 count;

	section->bytes = calloc(1, path_frames_room(1));
	assert_int_equal(path_frames_make(scene->elf, &scene->paths[number], 1, FRAMES, section->bytes, &section->size),
			 0);
	assert_true(section->size <= path_frames_room(1));
	assert_int_equal(cfi_entries_read(scene->elf, sections, &made), 0);
	count = made.function_count;
	assert_true(count <= path_frames_count(1));
	if (count)
		check_path(scene, &made, number);
	cfi_entries_release(&made);
	free(section->bytes);
	return count;
}

static void check_file(const char *path)
{
	struct scene *scene = open_scene(path);

	assert_true(scene->plan.probe_count > 0);
	for (u32 i = 0; i < scene->plan.probe_count; i++)
		assert_int_equal(check_alone(scene, i), 3);
	close_scene(scene);
}

static void test_rules_of_this_machine_s_allocators_are_kept(void **state)
{
	(void)state;
	check_file(libc_path());
	check_file(JEMALLOC);
	check_file(TCMALLOC);
	check_file(MIMALLOC);
}

/* --- functions written for this --- */

static void assemble(const char *malloc_s)
{
	FILE *source = fopen("allocator.s", "we");

	assert_non_null(source);
	assert_true(
		fprintf(source,
			".globl malloc\n.type malloc, @function\nmalloc: %s\n.size malloc, .-malloc\n.skip 64, 0x90\n"
			".globl free\n.type free, @function\nfree: .cfi_startproc\npush %%rbx\n"
			".cfi_adjust_cfa_offset 8\n.cfi_offset rbx, -16\nlea 8(%%rdi), %%rbx\npop %%rbx\n"
			".cfi_adjust_cfa_offset -8\nret\n.cfi_endproc\n.size free, .-free\n.skip 64, 0x90\n",
			malloc_s) > 0);
	assert_int_equal(fclose(source), 0);
	/* The linker does not like all of it. */
	run("cc -shared -nostdlib -Wl,--no-relax -o allocator.so allocator.s 2>complaints");
}

/* How many entries there are for malloc's path. */
static u32 check_malloc(const char *malloc_s)
{
	struct scene *scene;
	u32 count = 0, found = 0;

	assemble(malloc_s);
	scene = open_scene("allocator.so");
	for (u32 i = 0; i < scene->plan.probe_count; i++)
		if (!strcmp(scene->plan.probes[i].symbol, "malloc")) {
			count = check_alone(scene, i);
			found++;
		}
	assert_int_equal(found, 1);
	close_scene(scene);
	return count;
}

#define REST "lea 8(%rdi), %rax\nret\n"

static void test_frame_pointer_and_what_is_pushed_are_followed(void **state)
{
	(void)state;
	assert_int_equal(
		check_malloc(".cfi_startproc\nendbr64\npush %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_offset rbp, -16\n"
			     "mov %rsp, %rbp\n.cfi_def_cfa_register rbp\npush %rbx\n.cfi_offset rbx, -24\n" REST
			     ".cfi_endproc\n"),
		3);
	assert_int_equal(check_malloc(".cfi_startproc\npush %r12\n.cfi_adjust_cfa_offset 8\n.cfi_offset r12, -16\n"
				      "sub $0x100, %rsp\n.cfi_adjust_cfa_offset 0x100\n" REST ".cfi_endproc\n"),
			 3);
}

static void test_states_that_are_remembered_are_kept(void **state)
{
	(void)state;
	assert_int_equal(check_malloc(".cfi_startproc\nsub $8, %rsp\n.cfi_adjust_cfa_offset 8\n.cfi_remember_state\n"
				      "add $8, %rsp\n.cfi_adjust_cfa_offset -8\n" REST
				      ".cfi_restore_state\nlea 8(%rdi), %rax\nadd $8, %rsp\n.cfi_adjust_cfa_offset -8\n"
				      "ret\n.cfi_endproc\n"),
			 3);
}

/* A jump is the last that is moved; no jump back follows it. */
static void test_path_that_leaves_for_good_has_rules(void **state)
{
	(void)state;
	assert_int_equal(
		check_malloc(".cfi_startproc\nsub $8, %rsp\n.cfi_adjust_cfa_offset 8\njmp 1f\n.skip 200, 0x90\n"
			     "1: add $8, %rsp\n.cfi_adjust_cfa_offset -8\n" REST ".cfi_endproc\n"),
		3);
}

static void test_function_without_rules_has_a_path_without(void **state)
{
	(void)state;
	assert_int_equal(check_malloc("push %rbx\nmov %rdi, %rbx\nlea 8(%rbx), %rax\npop %rbx\nret\n"), 0);
	assert_int_equal(check_malloc(".cfi_startproc\n.cfi_signal_frame\npush %rbx\n.cfi_adjust_cfa_offset 8\n"
				      "mov %rdi, %rbx\n.cfi_endproc\n" REST),
			 0);
	assert_int_equal(
		check_malloc(".cfi_startproc simple\n.cfi_def_cfa rsp, 16\n.cfi_offset rip, -16\nnop\nnop\n" REST
			     ".cfi_endproc\n"),
		0);
}

static void test_damaged_rules_are_not_copied(void **state)
{
	(void)state;
	assert_int_equal(
		check_malloc(".cfi_startproc\n.cfi_escape 0x3f\npush %rbx\nmov %rdi, %rbx\n" REST ".cfi_endproc\n"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_of_this_machine_s_allocators_are_kept),
		TEST(test_frame_pointer_and_what_is_pushed_are_followed),
		TEST(test_states_that_are_remembered_are_kept),
		TEST(test_path_that_leaves_for_good_has_rules),
		TEST(test_function_without_rules_has_a_path_without),
		TEST(test_damaged_rules_are_not_copied),
	};

	return cmocka_run_group_tests_name("path_frames", tests, NULL, NULL);
}
