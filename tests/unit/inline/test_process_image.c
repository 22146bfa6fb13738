/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline/process_image: the jumps of two bytes, and the padding that they lead to, in allocators made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "inline/process_image.h"
#include "system/address_map.h"
#include "unit/inline/grafted_file.h"

#define PLACE 0x7f0000000000ULL
#define NEAR  0x7f0001000000ULL

struct scene {
	struct elf *elf;
	struct plan plan;
	struct process_image image;
	struct injection_patch *jumps;
	u32 count;
	char reason[SAMPLER_REASON_MAX];
};

#define FUNCTION(name, code)                                                                                           \
	".globl " name "\n.type " name ", @function\n" name ": " code "\n.size " name ", .-" name "\n"
#define MALLOC FUNCTION("malloc", "push %rbx\nmov %rdi, %rbx\nlea 8(%rbx), %rax\npop %rbx\nret")
/* As jemalloc's sized delete: probes are at the je. */
#define DELETE(name, padding)                                                                                          \
	FUNCTION(name, "test %rdi, %rdi\nje 1f\nsub $8, %rsp\ncall other\nadd $8, %rsp\nret\n" padding "1: ret")
#define PADDING ".byte 0x0f, 0x1f, 0x44, 0, 0\n"
#define OTHER	"other: ret\n"

static void fill_with(struct scene *scene, const char *code, u64 code_bytes)
{
	struct process_image *image = &scene->image;
	struct mapping mapping = {.start = PLACE};
	FILE *source = fopen("allocator.s", "we");

	*scene = (struct scene){0};
	assert_non_null(source);
	assert_true(fputs(code, source) >= 0);
	assert_int_equal(fclose(source), 0);
	run("cc -shared -nostdlib -o allocator.so allocator.s");
	scene->elf = open_elf("allocator.so");
	assert_int_equal(plan_make(scene->elf, NULL, &scene->plan), 0);
	mapping.file_offset = scene->plan.probes[0].offset / SAMPLER_PAGE * SAMPLER_PAGE;
	*image = (struct process_image){.elf = scene->elf, .plan = &scene->plan, .settings = &graft_settings};
	assert_int_equal(process_image_begin(image, &mapping, scene->reason), 0);
	assert_string_equal(scene->reason, "");
	for (u32 i = 0; i < image->headers.count && code_bytes; i++)
		if (image->headers.rows[i].p_flags & PF_X)
			image->headers.rows[i].p_filesz = code_bytes;
	assert_int_equal(process_image_fill(image, NEAR, scene->reason), 0);
	if (!*scene->reason)
		assert_int_equal(process_image_jumps(image, &scene->jumps, &scene->count), 0);
}

static void fill(struct scene *scene, const char *code)
{
	fill_with(scene, code, 0);
}

static void release(struct scene *scene)
{
	free(scene->jumps);
	process_image_release(&scene->image);
	elf_free(scene->elf);
}

static void assert_refused(const char *code, const char *reason)
{
	struct scene scene;

	fill(&scene, code);
	assert_string_equal(scene.reason, reason);
	release(&scene);
}

static void test_short_jump_leads_to_padding(void **state)
{
	static const u8 padding[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
	struct injection_patch *landing, *jump;
	struct scene scene;

	(void)state;
	fill(&scene, DELETE("free", PADDING) MALLOC OTHER);
	assert_string_equal(scene.reason, "");
	assert_int_equal(scene.count, 3);
	/* What ends objects first, and a landing before the jump to it. */
	landing = &scene.jumps[0];
	jump = &scene.jumps[1];
	assert_true(landing->landing && !jump->landing && !scene.jumps[2].landing);
	assert_int_equal(landing->jump_size, 5);
	assert_memory_equal(landing->was, padding, sizeof(padding));
	/* sub $8, %rsp, behind the je: the functions' own probe stays in front of it. */
	assert_int_equal(jump->jump_size, 2);
	assert_int_equal(jump->size, 4);
	assert_int_equal(jump->move_count, 0);
	assert_int_equal(jump->becomes[0], 0xeb);
	assert_int_equal(jump->address + 2 + jump->becomes[1], landing->address);
	assert_int_equal(scene.jumps[2].jump_size, 5);
	release(&scene);
}

#define AT_PROBE "its free has its probe where the jump would be"
#define ENTERED	 "its free may be entered behind its first instruction"

static void test_without_padding_the_file_is_refused(void **state)
{
	(void)state;
	assert_refused(DELETE("free", "") MALLOC OTHER, AT_PROBE);
	assert_refused(DELETE("free", "nopl 0(%rax)\n") MALLOC OTHER, AT_PROBE);
}

/* Two functions that reach the same one. */
static void test_padding_is_used_once(void **state)
{
	(void)state;
	/* cfree, which is planned first, has it. */
	assert_refused(DELETE("free", "") DELETE("cfree", PADDING) MALLOC OTHER, AT_PROBE);
	assert_refused(DELETE("free", PADDING) DELETE("cfree", PADDING) MALLOC OTHER, "");
}

/* Then it is none. */
static void test_padding_that_is_entered_refuses_the_file(void **state)
{
	(void)state;
	assert_refused(DELETE("free", "within: " PADDING) MALLOC OTHER "jmp within\n", ENTERED);
	assert_refused(DELETE("free", ".byte 0x0f, 0x1f, 0x44\nwithin: .byte 0, 0\n") MALLOC OTHER
		       ".byte 0xe9\n.long within-.-4\n",
		       ENTERED);
	assert_refused(DELETE("free", ".byte 0x0f, 0x1f, 0x44\n.globl within\n.type within, @function\n"
				      "within: .byte 0, 0\n") MALLOC OTHER,
		       ENTERED);
}

/* The jump begins behind the push, and takes five bytes. */
static void test_jump_across_two_pages_refuses_the_process(void **state)
{
	char code[1024];

	(void)state;
	for (int before = 1; before <= 6; before++) {
		bool crosses = before > 1 && before < 6;

		snprintf(code, sizeof(code), ".p2align 12\n%s.p2align 12\n.skip 4096 - %d, 0x90\n%s",
			 FUNCTION("free", "push %rbx\nlea 8(%rdi), %rbx\npop %rbx\nret"), before, MALLOC);
		assert_refused(code,
			       crosses ? "its malloc lies where a jump cannot be written at once: across two pages"
				       : "");
	}
}

#define FREE   FUNCTION("free", "push %rbx\nmov %rdi, %rbx\nlea 8(%rbx), %rax\npop %rbx\nret")
#define FILLED ".fill 512, 1, 0x90\n"
/* Its probe is at the second push, so the jump is behind it, and nothing may lead to the push: 2, 4 and 15 bytes. */
#define LONGEST                                                                                                        \
	FUNCTION("malloc",                                                                                             \
		 "mov %rdi, %rax\npush %r12\nnop\nnop\nnop\nnop\n"                                                     \
		 ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0\npop %r12\nret")

/* AddressSanitizer knows whether the code around it has room. */
static void test_longest_range_is_looked_at(void **state)
{
	const struct moved_code *moved;
	struct scene scene;
	u32 number = 0;

	(void)state;
	fill(&scene, FILLED LONGEST FILLED FREE);
	assert_string_equal(scene.reason, "");
	while (strcmp(scene.plan.probes[number].symbol, "malloc") != 0)
		number++;
	moved = &scene.image.patches.moved[number];
	assert_int_equal(moved_code_first_taken(moved), 3);
	assert_int_equal(moved->skip, 5);
	assert_int_equal(moved->taken, MOVED_CODE_TAKEN_MAX);
	release(&scene);
	assert_refused(LONGEST FREE "jmp malloc + 3\n", "its malloc may be entered behind its first instruction");
}

/* A segment may be longer than its file, or a hole. */
static void test_code_without_end_refuses_the_file(void **state)
{
	struct scene scene;

	(void)state;
	fill_with(&scene, MALLOC FREE, (1ULL << 30) + 1);
	assert_string_equal(scene.reason, "it has more code than can be searched for jumps");
	release(&scene);
	fill_with(&scene, MALLOC FREE, 1ULL << 30);
	assert_string_equal(scene.reason, "");
	release(&scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_short_jump_leads_to_padding),
		TEST(test_without_padding_the_file_is_refused),
		TEST(test_padding_is_used_once),
		TEST(test_padding_that_is_entered_refuses_the_file),
		TEST(test_jump_across_two_pages_refuses_the_process),
		TEST(test_longest_range_is_looked_at),
		TEST(test_code_without_end_refuses_the_file),
	};

	return cmocka_run_group_tests_name("process_image", tests, NULL, NULL);
}
