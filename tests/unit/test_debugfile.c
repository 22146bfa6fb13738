/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbol.c on programs whose names were taken out of them: debugfile.c, debugdata.c and debugserver.c behind it, with
 * files that the compiler and binutils make here and now below a directory that plays a process's root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "scratch.h"
#include "shell.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../../user/debugfile.h"
#include "../../user/debugserver.h"
#include "../../user/elf.h"
#include "../../user/root.h"
#include "../../user/symbol.h"

static struct root root;

/* whole.so with everything, stripped.so without DWARF and .symtab, names.debug with only these. */
static int setup(void **state)
{
	char source[PATH_MAX];

	if (!realpath(SOURCE_DIR, source) || scratch_setup(state))
		return -1;
	run("gcc -g -O2 -shared -fPIC -Wl,--build-id -o whole.so %s/tests/fixture/inlined.c && "
	    "objcopy --only-keep-debug whole.so names.debug && strip -o stripped.so whole.so && mkdir -p app "
	    "usr/lib/debug",
	    source);
	root = (struct root){.fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	return root.fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	root_close(&root);
	return scratch_teardown(state);
}

/* Open a file below the root as the process would call it. */
static struct elf *open_elf(const char *path)
{
	int fd = open(path + 1, O_RDONLY | O_CLOEXEC);
	struct elf *elf;

	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, path, &elf), 0);
	return elf;
}

static u64 mark_offset(const char *mark)
{
	struct elf *whole = open_elf("/whole.so");
	unsigned long vaddr = 0;
	char command[256];
	u64 offset;
	FILE *out;

	snprintf(command, sizeof(command), "nm whole.so | awk '$3 == \"%s\" { print $1 }'", mark);
	out = popen(command, "re");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%lx", &vaddr), 1);
	pclose(out);
	assert_int_equal(elf_vaddr_to_offset(whole, vaddr, &offset), 0);
	elf_free(whole);
	return offset;
}

struct found {
	unsigned int count;
	char function[64];
	bool has_file;
};

/* What the symbolizer says of a label in `path`. */
static struct found look_up(const char *path, const char *mark)
{
	struct symbolizer *symbolizer = symbolizer_new();
	struct elf *elf = open_elf(path);
	struct symbol_frame frame;
	struct found found = {0};

	assert_non_null(symbolizer);
	symbolizer_set_root(symbolizer, &root);
	assert_int_equal(symbolizer_resolve(symbolizer, elf, mark_offset(mark), &frame), 0);
	found.count = frame.line_count;
	if (frame.line_count) {
		snprintf(found.function, sizeof(found.function), "%s", frame.lines[0].function);
		found.has_file = frame.lines[0].file != NULL;
	}
	symbolizer_free(symbolizer);
	elf_free(elf);
	return found;
}

static void assert_all_lines(const char *path)
{
	struct found found = look_up(path, "mark_inner");

	assert_int_equal(found.count, 3);
	assert_string_equal(found.function, "inner");
	assert_true(found.has_file);
}

static void assert_nothing(const char *path)
{
	assert_int_equal(look_up(path, "mark_hidden").count, 0);
}

/* Put `source` where the build id of stripped.so leads. */
static void install(const char *how, const char *source)
{
	run("id=$(readelf -n stripped.so | awk '/Build ID/ { print $3 }') && rest=${id#??} && "
	    "place=usr/lib/debug/.build-id/${id%%$rest} && mkdir -p $place && %s %s $place/$rest.debug",
	    how, source);
}

static void test_debugfile_found_by_build_id_yields_inlined_lines(void **state)
{
	(void)state;
	assert_nothing("/stripped.so");
	install("cp", "names.debug");
	assert_all_lines("/stripped.so");
}

static void test_debugfile_behind_a_link_inside_the_root_is_found(void **state)
{
	(void)state;
	install("ln -s", "/names.debug");
	assert_all_lines("/stripped.so");
}

static void test_debugfile_without_dwarf_yields_its_symbols(void **state)
{
	struct found found;

	(void)state;
	run("strip -g -o symbols.debug names.debug");
	install("cp", "symbols.debug");
	found = look_up("/stripped.so", "mark_hidden");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.function, "hidden");
}

static void test_debugfile_of_a_program_is_opened_although_its_interpreter_is_missing(void **state)
{
	struct elf *program, *debug;

	(void)state;
	run("echo 'int main(void) { return 0; }' > main.c && gcc -g -o main main.c && "
	    "objcopy --only-keep-debug main main.debug && objcopy -S --add-gnu-debuglink=main.debug main app/main && "
	    "mv main.debug app");
	program = open_elf("/app/main");
	assert_int_equal(debugfile_find(program, &root, &debug), 0);
	elf_free(debug);
	elf_free(program);
}

static void test_debugfile_of_another_build_is_refused(void **state)
{
	(void)state;
	run("echo 'int other;' > other.c && gcc -g -shared -Wl,--build-id -o other.so other.c && "
	    "objcopy --only-keep-debug other.so other.debug");
	install("cp", "other.debug");
	assert_nothing("/stripped.so");
}

static void link_debug(const char *place)
{
	run("objcopy --add-gnu-debuglink=names.debug stripped.so app/linked.so && mkdir -p %s && mv names.debug %s",
	    place, place);
}

static void test_debugfile_found_by_link_in_all_three_places(void **state)
{
	(void)state;
	link_debug("app");
	assert_all_lines("/app/linked.so");
	run("mkdir app/.debug && mv app/names.debug app/.debug");
	assert_all_lines("/app/linked.so");
	run("mkdir -p usr/lib/debug/app && mv app/.debug/names.debug usr/lib/debug/app");
	assert_all_lines("/app/linked.so");
	run("rm usr/lib/debug/app/names.debug");
	assert_nothing("/app/linked.so");
}

static void test_debugfile_found_by_link_with_another_checksum_is_refused(void **state)
{
	(void)state;
	link_debug("app");
	run("printf x >> app/names.debug");
	assert_nothing("/app/linked.so");
}

static void test_debugfile_without_build_ids_is_told_by_its_checksum(void **state)
{
	(void)state;
	run("for file in stripped.so names.debug; do objcopy -R .note.gnu.build-id $file; done");
	link_debug("app");
	assert_all_lines("/app/linked.so");
}

static void test_debugfile_link_with_a_path_is_refused(void **state)
{
	(void)state;
	run("cp names.debug app/xnames.debug && cp names.debug names.xdebug && "
	    "objcopy --add-gnu-debuglink=app/xnames.debug stripped.so app/linked.so && "
	    "sed -i 's,xnames.debug,../names.deb,' app/linked.so && cp names.debug names.deb");
	assert_nothing("/app/linked.so");
}

/* Whoever opens the FIFO hangs, and the alarm ends this test. */
static void test_debugfile_that_is_no_regular_file_is_not_opened(void **state)
{
	(void)state;
	alarm(60);
	link_debug("away");
	run("mkfifo app/names.debug && mkdir -p app/.debug/names.debug");
	install("mkfifo", "");
	assert_nothing("/app/linked.so");
	alarm(0);
}

static void test_debugfile_behind_a_link_out_of_the_root_is_not_found(void **state)
{
	char outside[] = P_tmpdir "/heaptap-outside-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(outside));
	run("cp names.debug %s", outside);
	link_debug("away");
	run("ln -s %s/names.debug app/names.debug && ln -s ../../../../../../../..%s app/.debug", outside, outside);
	assert_nothing("/app/linked.so");
	run("rm -r %s", outside);
}

static void test_debugfile_of_the_same_build_is_read_once_for_all_copies(void **state)
{
	struct symbolizer *symbolizer = symbolizer_new();
	struct elf *first = open_elf("/stripped.so"), *second;
	struct symbol_frame of_first, of_second;
	u64 offset = mark_offset("mark_inner");

	(void)state;
	install("cp", "names.debug");
	run("cp stripped.so app/copy.so");
	second = open_elf("/app/copy.so");
	symbolizer_set_root(symbolizer, &root);
	assert_int_equal(symbolizer_resolve(symbolizer, first, offset, &of_first), 0);
	assert_int_equal(symbolizer_resolve(symbolizer, second, offset, &of_second), 0);
	assert_int_equal(of_first.line_count, 3);
	assert_ptr_equal(of_first.lines, of_second.lines);
	symbolizer_free(symbolizer);
	elf_free(first);
	elf_free(second);
}

/* As Fedora makes it: the functions that .dynsym lacks, packed. */
static void pack_symbols(const char *source)
{
	run("xz --keep --stdout %s > packed.xz && objcopy --add-section .gnu_debugdata=packed.xz stripped.so "
	    "app/mini.so",
	    source);
}

static void test_debugdata_names_what_is_not_exported(void **state)
{
	struct found found;

	(void)state;
	run("strip -g -o mini.debug names.debug");
	pack_symbols("mini.debug");
	found = look_up("/app/mini.so", "mark_hidden");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.function, "hidden");
	found = look_up("/app/mini.so", "mark_inner");
	assert_string_equal(found.function, "outer");
}

static int unpack_error(void)
{
	struct elf *elf = open_elf("/app/mini.so"), *debug;
	int err = debugfile_unpack(elf, &debug);

	elf_free(elf);
	return err;
}

static void test_debugdata_that_unfolds_to_gigabytes_is_refused(void **state)
{
	(void)state;
	run("head -c 200M /dev/zero > zeros");
	pack_symbols("zeros");
	assert_int_equal(unpack_error(), -EFBIG);
}

static void test_debugdata_damaged_or_no_elf_is_an_error(void **state)
{
	(void)state;
	run("strip -g -o mini.debug names.debug");
	pack_symbols("mini.debug");
	run("head -c 100 packed.xz > cut && objcopy --update-section .gnu_debugdata=cut app/mini.so");
	assert_int_equal(unpack_error(), -EBADMSG);
	run("echo 'no xz' > cut && objcopy --update-section .gnu_debugdata=cut app/mini.so");
	assert_int_equal(unpack_error(), -EBADMSG);
	run("echo 'no ELF' | xz > cut && objcopy --update-section .gnu_debugdata=cut app/mini.so");
	assert_int_equal(unpack_error(), -ENOEXEC);
	assert_nothing("/app/mini.so");
}

/* A server is a directory here: the library knows file:// as well. */
static void serve(const char *source)
{
	char urls[PATH_MAX + 16], cache[PATH_MAX + 16];

	run("id=$(readelf -n stripped.so | awk '/Build ID/ { print $3 }') && mkdir -p server/buildid/$id && "
	    "cp %s server/buildid/$id/debuginfo",
	    source);
	snprintf(urls, sizeof(urls), "file://%s/server", scratch_path);
	snprintf(cache, sizeof(cache), "%s/cache", scratch_path);
	setenv("DEBUGINFOD_URLS", urls, 1);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
}

static void test_debugserver_that_is_named_is_asked(void **state)
{
	(void)state;
	serve("names.debug");
	assert_all_lines("/stripped.so");
	unsetenv("DEBUGINFOD_URLS");
	assert_nothing("/stripped.so");
}

static void test_debugserver_that_sends_another_build_is_not_believed(void **state)
{
	(void)state;
	run("echo 'int other;' > other.c && gcc -g -shared -Wl,--build-id -o other.so other.c");
	serve("other.so");
	assert_nothing("/stripped.so");
	unsetenv("DEBUGINFOD_URLS");
}

/* It takes the connection and says nothing: without a limit of our own that lasts as long as the library likes. */
static void test_debugserver_that_never_answers_is_left_when_the_time_is_over(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct debugserver *server;
	struct elf *elf = open_elf("/stripped.so"), *debug;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char url[64];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	serve("names.debug");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	setenv("DEBUGINFOD_URLS", url, 1);
	alarm(60);
	assert_int_equal(debugserver_new(100000000, &server), 0);
	assert_int_equal(debugserver_find(server, elf, &debug), -ENOENT);
	assert_true(debugserver_gave_up(server));
	assert_int_equal(debugserver_find(server, elf, &debug), -ENOENT);
	alarm(0);
	debugserver_free(server);
	elf_free(elf);
	close(listener);
	unsetenv("DEBUGINFOD_URLS");
}

static void test_debugserver_without_a_name_is_none(void **state)
{
	struct debugserver *server;

	(void)state;
	setenv("DEBUGINFOD_URLS", "", 1);
	assert_int_equal(debugserver_new(1, &server), 0);
	assert_null(server);
	unsetenv("DEBUGINFOD_URLS");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_debugfile_found_by_build_id_yields_inlined_lines),
		CASE(test_debugfile_behind_a_link_inside_the_root_is_found),
		CASE(test_debugfile_without_dwarf_yields_its_symbols),
		CASE(test_debugfile_of_a_program_is_opened_although_its_interpreter_is_missing),
		CASE(test_debugfile_of_another_build_is_refused),
		CASE(test_debugfile_found_by_link_in_all_three_places),
		CASE(test_debugfile_found_by_link_with_another_checksum_is_refused),
		CASE(test_debugfile_without_build_ids_is_told_by_its_checksum),
		CASE(test_debugfile_link_with_a_path_is_refused),
		CASE(test_debugfile_that_is_no_regular_file_is_not_opened),
		CASE(test_debugfile_behind_a_link_out_of_the_root_is_not_found),
		CASE(test_debugfile_of_the_same_build_is_read_once_for_all_copies),
		CASE(test_debugdata_names_what_is_not_exported),
		CASE(test_debugdata_that_unfolds_to_gigabytes_is_refused),
		CASE(test_debugdata_damaged_or_no_elf_is_an_error),
		CASE(test_debugserver_that_is_named_is_asked),
		CASE(test_debugserver_that_sends_another_build_is_not_believed),
		CASE(test_debugserver_that_never_answers_is_left_when_the_time_is_over),
		CASE(test_debugserver_without_a_name_is_none),
	};

	unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
