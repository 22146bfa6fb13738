/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program_headers.c on a small ELF file. */
#include "unit/binary/elf_image.h"

#include <string.h>

#include "inline/program_headers.h"

/* A file as linkers make them: segments that ascend and follow one another in the file as in memory. */
struct file {
	Elf64_Ehdr header;
	Elf64_Phdr rows[6];
	u8 bytes[0x3000 - sizeof(Elf64_Ehdr) - 6 * sizeof(Elf64_Phdr)];
};
#define BASE 0x400000

static struct file file;

static int file_setup(void **state)
{
	const Elf64_Phdr rows[] = {
		{PT_PHDR, PF_R, 64, BASE + 64, BASE + 64, 6 * 56, 6 * 56, 8},
		{PT_LOAD, PF_R, 0, BASE, BASE, 0x500, 0x500, 0x1000},
		{PT_LOAD, PF_R | PF_X, 0x1000, BASE + 0x1000, BASE + 0x1000, 0x800, 0x800, 0x1000},
		{PT_LOAD, PF_R | PF_W, 0x2000, BASE + 0x3000, BASE + 0x3000, 0x1000, 0x2345, 0x1000},
		{PT_GNU_EH_FRAME, PF_R, 0x200, BASE + 0x200, BASE + 0x200, 0x100, 0x100, 4},
		{PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16},
	};

	(void)state;
	file = (struct file){
		.header =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_phoff = offsetof(struct file, rows),
				.e_ehsize = sizeof(Elf64_Ehdr),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = 6,
			},
	};
	memcpy(file.rows, rows, sizeof(rows));
	return 0;
}

static int read_file(size_t size, struct program_headers *ret_headers, const char **ret_refusal)
{
	struct elf *elf;
	int err;

	assert_int_equal(elf_open(file_with(&file, size), "file", &elf), 0);
	err = program_headers_read(elf, ret_headers, ret_refusal);
	elf_free(elf);
	return err;
}

static struct program_headers must_read(void)
{
	struct program_headers headers;
	const char *refusal;

	assert_int_equal(read_file(sizeof(file), &headers, &refusal), 0);
	assert_null(refusal);
	return headers;
}

static void test_next_page_is_behind_all_segments(void **state)
{
	struct program_headers headers = must_read();

	(void)state;
	assert_int_equal(headers.base, BASE);
	assert_int_equal(headers.next, BASE + 0x6000);
	program_headers_release(&headers);
}

static void test_next_page_is_behind_the_file_too(void **state)
{
	struct program_headers headers;

	(void)state;
	file.rows[3].p_vaddr = BASE + 0x2000;
	file.rows[3].p_memsz = 0x1000;
	headers = must_read();
	assert_int_equal(headers.next, BASE + 0x3000);
	program_headers_release(&headers);
}

static void test_next_page_is_behind_segments_in_any_order(void **state)
{
	struct program_headers headers;
	const char *refusal;

	(void)state;
	file.rows[2].p_vaddr = BASE + 0x10000;
	assert_int_equal(read_file(sizeof(file), &headers, &refusal), 0);
	assert_string_equal(refusal, "its segments are not in the order of their addresses");
	assert_int_equal(headers.next, BASE + 0x11000);
	program_headers_release(&headers);
}

static const Elf64_Phdr *row_of(const Elf64_Phdr *rows, u32 type, int which)
{
	for (u32 i = 0; i < 6 + PROGRAM_HEADERS_ADDED; i++)
		if (rows[i].p_type == type && !which--)
			return &rows[i];
	fail();
	return NULL;
}

static void assert_row(const Elf64_Phdr *row, u32 flags, u64 address, u64 file_size, u64 size)
{
	assert_int_equal(row->p_flags, flags);
	assert_int_equal(row->p_vaddr, address);
	assert_int_equal(row->p_offset, address - BASE);
	assert_int_equal(row->p_filesz, file_size);
	assert_int_equal(row->p_memsz, size);
}

static void test_write_adds_two_segments_and_a_note(void **state)
{
	struct program_headers headers = must_read();
	u64 next = headers.next;
	struct program_addition addition = {
		.headers = next,
		.note = next + 0x400,
		.note_bytes = 0x20,
		.eh_frame_hdr = next + 0x500,
		.eh_frame_hdr_bytes = 0x44,
		.data = next + 0x2000,
		.data_bytes = 0x5000,
	};
	Elf64_Phdr rows[6 + PROGRAM_HEADERS_ADDED];
	Elf64_Ehdr header;

	(void)state;
	assert_int_equal(program_headers_size(&headers), sizeof(rows));
	program_headers_write(&headers, &addition, &header, rows);
	assert_int_equal(header.e_phoff, next - BASE);
	assert_int_equal(header.e_phnum, 9);
	assert_row(row_of(rows, PT_PHDR, 0), PF_R, next, sizeof(rows), sizeof(rows));
	assert_memory_equal(row_of(rows, PT_LOAD, 0), &file.rows[1], 3 * sizeof(rows[0]));
	assert_row(row_of(rows, PT_LOAD, 3), PF_R | PF_X, next, 0x2000, 0x2000);
	assert_row(row_of(rows, PT_LOAD, 4), PF_R | PF_W, next + 0x2000, 0, 0x5000);
	assert_row(row_of(rows, PT_GNU_EH_FRAME, 0), PF_R, next + 0x500, 0x44, 0x44);
	assert_row(row_of(rows, PT_NOTE, 0), PF_R, next + 0x400, 0x20, 0x20);
	assert_memory_equal(row_of(rows, PT_GNU_STACK, 0), &file.rows[5], sizeof(rows[0]));
	addition.eh_frame_hdr = 0;
	program_headers_write(&headers, &addition, &header, rows);
	assert_memory_equal(row_of(rows, PT_GNU_EH_FRAME, 0), &file.rows[4], sizeof(rows[0]));
	program_headers_release(&headers);
}

static void test_zeros_of_an_interpreter_are_put_into_the_file(void **state)
{
	struct program_headers headers = must_read();
	struct program_addition addition = {.filled = 0x9000};
	Elf64_Phdr rows[6 + PROGRAM_HEADERS_ADDED];
	Elf64_Ehdr header;

	(void)state;
	assert_null(program_headers_to_fill(&headers));
	program_headers_release(&headers);
	file.header.e_type = ET_DYN;
	file.header.e_entry = BASE + 0x1000;
	file.rows[3].p_align = 0x200000;
	headers = must_read();
	assert_ptr_equal(program_headers_to_fill(&headers), &headers.rows[3]);
	program_headers_write(&headers, &addition, &header, rows);
	assert_int_equal(row_of(rows, PT_LOAD, 2)->p_offset, 0x9000);
	assert_int_equal(row_of(rows, PT_LOAD, 2)->p_vaddr, BASE + 0x3000);
	assert_int_equal(row_of(rows, PT_LOAD, 2)->p_filesz, 0x2345);
	assert_int_equal((BASE + 0x3000 - 0x9000) % row_of(rows, PT_LOAD, 2)->p_align, 0);
	program_headers_release(&headers);
	file.rows[5].p_type = PT_INTERP;
	file.rows[5].p_filesz = 8;
	headers = must_read();
	assert_null(program_headers_to_fill(&headers));
	program_headers_release(&headers);
}

static void assert_refused(size_t size, const char *reason)
{
	struct program_headers headers;
	const char *refusal;

	assert_int_equal(read_file(size, &headers, &refusal), 0);
	assert_non_null(refusal);
	assert_string_equal(refusal, reason);
	program_headers_release(&headers);
}

static void test_segments_out_of_order_are_refused(void **state)
{
	const Elf64_Phdr row = file.rows[2];

	(void)state;
	file.rows[2] = file.rows[3];
	file.rows[3] = row;
	assert_refused(sizeof(file), "its segments are not in the order of their addresses");
}

/* As programs have them that unpack themselves. */
static void test_data_behind_the_elf_file_is_refused(void **state)
{
	(void)state;
	file.rows[3].p_filesz = 0xfff;
	assert_refused(sizeof(file), "its file has data behind what its headers describe");
}

static void test_headers_that_cannot_be_are_an_error(void **state)
{
	struct program_headers headers;
	const char *refusal;

	(void)state;
	file.rows[3].p_memsz = UINT64_MAX - 5;
	assert_int_equal(read_file(sizeof(file), &headers, &refusal), -EBADMSG);
	program_headers_release(&headers);
	file_setup(NULL);
	file.rows[3].p_filesz = file.rows[3].p_memsz + 1;
	assert_int_equal(read_file(sizeof(file), &headers, &refusal), -EBADMSG);
	program_headers_release(&headers);
	file_setup(NULL);
	for (int i = 1; i < 4; i++)
		file.rows[i].p_type = PT_NULL;
	assert_int_equal(read_file(sizeof(file), &headers, &refusal), -EBADMSG);
	program_headers_release(&headers);
	file_setup(NULL);
	file.header.e_shoff = sizeof(file) - 1;
	file.header.e_shentsize = sizeof(Elf64_Shdr);
	file.header.e_shnum = 1;
	assert_int_equal(read_file(sizeof(file), &headers, &refusal), -EBADMSG);
	program_headers_release(&headers);
}

#define TEST(name) cmocka_unit_test_setup(name, file_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_next_page_is_behind_all_segments),
		TEST(test_next_page_is_behind_the_file_too),
		TEST(test_next_page_is_behind_segments_in_any_order),
		TEST(test_write_adds_two_segments_and_a_note),
		TEST(test_zeros_of_an_interpreter_are_put_into_the_file),
		TEST(test_segments_out_of_order_are_refused),
		TEST(test_data_behind_the_elf_file_is_refused),
		TEST(test_headers_that_cannot_be_are_an_error),
	};

	return cmocka_run_group_tests_name("program_headers", tests, NULL, NULL);
}
