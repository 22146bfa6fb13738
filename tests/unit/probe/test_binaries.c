/* SPDX-License-Identifier: GPL-2.0-or-later */
/* binaries.c: files told apart by inode, also those of processes that are gone. */
#include "opened.h"

#include <sys/mman.h>

/* --- by name
 * --------------------------------------------------------------------------------------------------------------------
 */

static void test_binaries_open_path_same_file_by_two_names_is_one(void **state)
{
	struct binary *one = NULL, *two = NULL;

	(void)state;
	assert_int_equal(symlink("/bin/true", "link"), 0);
	assert_int_equal(binaries_open_path(binaries, "/bin/true", &one), 0);
	assert_int_equal(binaries_open_path(binaries, "link", &two), 0);
	assert_ptr_equal(one, two);
	assert_int_equal(file_count(), 1);
	assert_string_equal(elf_path(one->elf), "/bin/true");
	assert_null(one->plan);
}

static void test_binaries_open_path_that_is_relative_is_named_as_mapped(void **state)
{
	char real[PATH_MAX];
	struct binary *file = NULL;

	(void)state;
	assert_int_equal(symlink("/bin/true", "program"), 0);
	assert_non_null(realpath("program", real));
	assert_int_equal(binaries_open_path(binaries, "./program", &file), 0);
	assert_string_equal(elf_path(file->elf), real);
}

static void test_binaries_open_path_what_is_no_elf_is_an_error_and_not_kept(void **state)
{
	struct binary *file;

	(void)state;
	scratch_file("text", "hello, this is no program at all, just some text that is long enough for a header\n",
		     0755);
	assert_int_equal(binaries_open_path(binaries, "text", &file), -ENOEXEC);
	assert_int_equal(binaries_open_path(binaries, "missing", &file), -ENOENT);
	assert_true(binaries_open_path(binaries, ".", &file) < 0);
	assert_int_equal(file_count(), 0);
	assert_string_equal(binaries_names(binaries), "");
}

static void test_binaries_free_of_null_is_nothing(void **state)
{
	(void)state;
	binaries_free(NULL);
}

/* --- mappings
 * ---------------------------------------------------------------------------------------------------------------------
 */

static int keep_libc(struct mapping *mapping, void *arg)
{
	struct mapping *kept = arg;

	if (!strstr(mapping->path, "/libc.so.6"))
		return 0;
	*kept = *mapping;
	kept->path = strdup(mapping->path);
	return 1;
}

/* This test's own mapping of libc. */
static struct mapping libc_mapping(void)
{
	struct mapping mapping = {0};

	assert_int_equal(proc_maps_for_each(getpid(), keep_libc, &mapping), 1);
	return mapping;
}

static pid_t gone_pid(void)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return child;
}

static void test_binaries_open_mapping_of_a_living_process_describes_it(void **state)
{
	struct mapping mapping = libc_mapping();
	struct binary *file = NULL;
	unsigned int size;
	const u8 *id;

	(void)state;
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &mapping, &file), 0);
	assert_non_null(file);
	assert_non_null(file->plan);
	assert_ptr_equal(mapping.elf, file->elf);
	assert_int_equal(mapping.inode, elf_inode(file->elf));
	assert_int_equal(mapping.device, elf_device(file->elf));
	id = elf_build_id(file->elf, &size);
	assert_int_equal(mapping.build_id_size, size);
	assert_memory_equal(mapping.build_id, id, size);
	free(mapping.path);
}

static void test_binaries_open_mapping_of_a_process_gone_is_found_by_build_id_or_inode(void **state)
{
	struct mapping mapping = libc_mapping();
	struct binary *first = NULL, *file = NULL;
	pid_t gone = gone_pid();

	(void)state;
	assert_int_equal(binaries_open_mapping(binaries, gone, &mapping, &file), 0);
	assert_null(file);
	assert_null(mapping.elf);
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &mapping, &first), 0);
	/* A file of the same build, for names: it may not be the file itself, so it must not be probed. */
	assert_int_equal(binaries_open_mapping(binaries, gone, &mapping, &file), 0);
	assert_null(file);
	assert_ptr_equal(mapping.elf, first->elf);
	mapping.build_id_size = 0;
	assert_int_equal(binaries_open_mapping(binaries, gone, &mapping, &file), 0);
	assert_ptr_equal(file, first);
	free(mapping.path);
}

/* A copy of `from`, and a mapping of it in this process, with the build id alone as in a side-band record. */
static struct mapping map_copy(const char *from, const char *name, const struct mapping *build)
{
	struct mapping mapping = {.build_id_size = build->build_id_size};
	char path[PATH_MAX + 16], command[3 * PATH_MAX];
	struct stat stat;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", scratch_path, name);
	snprintf(command, sizeof(command), "rm -f '%s' && cp %s '%s'", path, from, path);
	assert_int_equal(system(command), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &stat), 0);
	mapping.start = (uintptr_t)mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_int_not_equal(mapping.start, (uintptr_t)MAP_FAILED);
	mapping.end = mapping.start + ((u64)stat.st_size + 4095) / 4096 * 4096;
	close(fd);
	memcpy(mapping.build_id, build->build_id, sizeof(mapping.build_id));
	mapping.path = strdup(path);
	return mapping;
}

static struct binary *opened(const char *from, const char *name, const struct mapping *build, pid_t pid)
{
	struct mapping mapping = map_copy(from, name, build);
	struct binary *file = NULL;

	assert_int_equal(binaries_open_mapping(binaries, pid, &mapping, &file), 0);
	assert_non_null(mapping.elf);
	munmap((void *)(uintptr_t)mapping.start, mapping.end - mapping.start);
	free(mapping.path);
	return file;
}

static struct mapping build_of(const char *path)
{
	struct mapping mapping = {0};
	struct elf *elf;
	unsigned int size;
	const u8 *id;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	id = elf_build_id(elf, &size);
	memcpy(mapping.build_id, id, size);
	mapping.build_id_size = (u8)size;
	elf_free(elf);
	return mapping;
}

/* What is probed is an inode: one that is replaced under its name is another. */
static void test_binaries_open_mapping_of_an_allocator_is_by_its_inode(void **state)
{
	struct mapping libc = libc_mapping(), build = build_of(libc.path);
	const struct binary *first = opened(libc.path, "allocator", &build, getpid()), *again;

	(void)state;
	assert_non_null(first->plan);
	again = opened(libc.path, "allocator", &build, getpid());
	assert_non_null(again);
	assert_ptr_not_equal(again, first);
	assert_int_equal(file_count(), 2);
	free(libc.path);
}

/* Its names and tables are the same, and it is not opened: the process need not even be there. */
static void test_binaries_open_mapping_of_what_is_not_probed_is_by_build_and_name(void **state)
{
	struct mapping build = build_of("/bin/true");
	const struct binary *first = opened("/bin/true", "program", &build, getpid());

	(void)state;
	assert_null(first->plan);
	assert_ptr_equal(opened("/bin/true", "program", &build, getpid()), first);
	assert_ptr_equal(opened("/bin/true", "program", &build, gone_pid()), first);
	assert_int_equal(file_count(), 1);
	assert_ptr_not_equal(opened("/bin/true", "other name", &build, getpid()), first);
	assert_int_equal(file_count(), 2);
}

/* As in a side-band record: a build id and no inode. */
static void test_binaries_open_mapping_of_a_process_gone_is_found_by_name_if_of_that_build(void **state)
{
	struct mapping mapping = libc_mapping(), known = mapping;
	struct binary *file = NULL;
	struct binaries *other = binaries_new(NULL, false);

	(void)state;
	assert_int_equal(binaries_open_mapping(other, getpid(), &known, &file), 0);
	mapping.inode = mapping.device = 0;
	mapping.build_id_size = known.build_id_size;
	memset(mapping.build_id, 0x5a, sizeof(mapping.build_id));
	assert_int_equal(binaries_open_mapping(binaries, gone_pid(), &mapping, &file), 0);
	assert_null(file);
	assert_int_equal(file_count(), 0);
	memcpy(mapping.build_id, known.build_id, sizeof(mapping.build_id));
	assert_int_equal(binaries_open_mapping(binaries, gone_pid(), &mapping, &file), 0);
	assert_null(file);
	assert_non_null(mapping.elf);
	assert_int_equal(file_count(), 1);
	binaries_free(other);
	free(mapping.path);
}

/* The side-band says another build was mapped than the file that is there: it is not used. */
static void test_binaries_open_mapping_of_another_build_is_refused(void **state)
{
	struct mapping mapping = libc_mapping();
	struct binary *file = NULL;

	(void)state;
	mapping.build_id_size = 20;
	memset(mapping.build_id, 0x5a, sizeof(mapping.build_id));
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &mapping, &file), 0);
	assert_null(file);
	assert_null(mapping.elf);
	free(mapping.path);
}

static void test_binaries_open_mapping_vdso_is_read_from_memory(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"[vdso]"};
	struct mapping again = mapping;
	struct binary *file = NULL;

	(void)state;
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &mapping, &file), 0);
	assert_non_null(mapping.elf);
	assert_true(elf_is_64bit_x86(mapping.elf));
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &again, &file), 0);
	assert_ptr_equal(again.elf, mapping.elf);
	assert_int_equal(file_count(), 1);
}

static void test_binaries_open_mapping_without_a_file_has_none(void **state)
{
	static const char *const paths[] = {"[stack]", "//anon", "/no/such/file"};
	struct binary *file = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)paths[i]};

		assert_int_equal(binaries_open_mapping(binaries, getpid(), &mapping, &file), 0);
		assert_null(file);
	}
	assert_int_equal(file_count(), 0);
}

static void test_binaries_open_mapping_that_cannot_be_opened_is_remembered(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .path = (char *)"/no/such/file"};
	struct binary *file = NULL;

	(void)state;
	assert_int_equal(binaries_open_mapping(binaries, gone_pid(), &mapping, &file), 0);
	assert_int_equal(binaries_unopened(binaries)->denied.count, 0);
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &mapping, &file), 0);
	assert_int_equal(binaries_unopened(binaries)->denied.count, 1);
	assert_int_equal(binaries_unopened(binaries)->denied.err, -ENOENT);
	assert_string_equal(binaries_unopened(binaries)->denied.path, "/no/such/file");
	assert_int_equal(binaries_unopened(binaries)->lacking.count, 0);
}

/* A compiler's code cannot be opened by its name, and lacks nothing; one with a build id is a library's. */
static void test_binaries_open_mapping_of_made_code_is_not_missed(void **state)
{
	struct mapping made = {.start = 0x1000, .end = 0x2000, .path = (char *)"/memfd:vmem"}, library = made;
	struct binary *file = NULL;

	(void)state;
	library.build_id[0] = 1;
	library.build_id_size = 20;
	for (int gone = 0; gone < 2; gone++) {
		pid_t pid = gone ? gone_pid() : getpid();

		assert_int_equal(binaries_open_mapping(binaries, pid, &made, &file), 0);
		assert_null(file);
		assert_false(made.unsearched);
		assert_int_equal(binaries_unopened(binaries)->denied.count, 0);
	}
	assert_int_equal(binaries_open_mapping(binaries, getpid(), &library, &file), 0);
	assert_true(library.unsearched);
	assert_int_equal(binaries_unopened(binaries)->denied.count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_binaries_open_path_same_file_by_two_names_is_one),
		TEST(test_binaries_open_path_that_is_relative_is_named_as_mapped),
		TEST(test_binaries_open_path_what_is_no_elf_is_an_error_and_not_kept),
		TEST(test_binaries_free_of_null_is_nothing),
		TEST(test_binaries_open_mapping_of_a_living_process_describes_it),
		TEST(test_binaries_open_mapping_of_a_process_gone_is_found_by_build_id_or_inode),
		TEST(test_binaries_open_mapping_of_a_process_gone_is_found_by_name_if_of_that_build),
		TEST(test_binaries_open_mapping_of_another_build_is_refused),
		TEST(test_binaries_open_mapping_of_an_allocator_is_by_its_inode),
		TEST(test_binaries_open_mapping_of_what_is_not_probed_is_by_build_and_name),
		TEST(test_binaries_open_mapping_vdso_is_read_from_memory),
		TEST(test_binaries_open_mapping_without_a_file_has_none),
		TEST(test_binaries_open_mapping_that_cannot_be_opened_is_remembered),
		TEST(test_binaries_open_mapping_of_made_code_is_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
