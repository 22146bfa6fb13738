/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recipes of docs/languages.md: programs in languages with a runtime, whose functions call one another by chance, compared
 * with the runtime's own account of the stack at the same calls. Each call's block has a size of its own, of which one is missed
 * once in 10^10 at this interval. CALLS says how many calls; PYTHON, NODE, JAVA name other interpreters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "profile/profile.h"
#include "format/pprof_read.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define INTERVAL    "4096"
#define MARK	    "deep_"	  /* is in the names of all functions that count */
#define INTERPRETED "Interpreter" /* what HotSpot calls all of its interpreted frames */
#define LEAF	    "deep_leaf"
#define WORDS_MAX   24
#define FRAMES_MAX  128

/* One line of the program's account. */
struct call {
	u64 size;
	char *names[FRAMES_MAX]; /* innermost first */
	u32 depth;
	bool found;
};

struct account {
	char *text;
	struct call *calls;
	size_t count;
};

static const char *variable_or(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void parse_call(char *line, struct call *call)
{
	char *cursor = NULL, *names;

	call->size = strtoull(line, &names, 10);
	for (char *name = strtok_r(names, "; ", &cursor); name; name = strtok_r(NULL, "; ", &cursor)) {
		assert_true(call->depth < FRAMES_MAX);
		call->names[call->depth++] = name;
	}
	assert_true(call->depth > 0);
}

static void account_read(const char *path, struct account *account)
{
	FILE *file = fopen(path, "re");
	size_t capacity = 0;
	char *cursor = NULL;

	assert_non_null(file);
	assert_true(getdelim(&account->text, &capacity, '\0', file) > 0);
	fclose(file);
	for (char *line = strtok_r(account->text, "\n", &cursor); line; line = strtok_r(NULL, "\n", &cursor)) {
		assert_int_equal(array_grow(&account->calls, account->count, 1), 0);
		account->calls[account->count] = (struct call){0};
		parse_call(line, &account->calls[account->count++]);
	}
}

/* Whether the frame's function is that one: its name is whole in there, but for what compilers put around names. */
static bool is_function(const char *frame, const char *name)
{
	size_t length = strlen(name);

	if (!strcmp(frame, INTERPRETED))
		return true;
	for (const char *at = strstr(frame, name); at; at = strstr(at + 1, name)) {
		const char *rest = at + length;

		if (*rest == '_')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (!*rest || *rest == ' ' || *rest == '(' || (*rest == ':' && rest[1] != ':'))
			return true;
	}
	return false;
}

/*
 * The frames of the stack that count, innermost first; those of them that are no functions of the program (HotSpot has its own
 * interpreted ones above the leaf) are among them. *ret_beyond: frames further out.
 */
static u32 counted_frames(const struct profile *profile, const struct profile_sample *sample,
			  const char *frames[FRAMES_MAX], u32 *ret_beyond)
{
	u32 count = 0;

	*ret_beyond = 0;
	for (u32 i = 0; i < sample->depth; i++) {
		const struct profile_location *location = &profile->locations[sample->location[i]];

		++*ret_beyond;
		for (u32 j = 0; j < location->line_count; j++) {
			const char *function = location->lines[j].function;

			if (!strstr(function, MARK) && strcmp(function, INTERPRETED) != 0)
				continue;
			assert_true(count < FRAMES_MAX);
			frames[count++] = function;
			*ret_beyond = 0;
		}
	}
	return count;
}

static bool is_call(const struct call *call, const char *const *frames, u32 count)
{
	u32 surplus = count - call->depth;

	if (count < call->depth)
		return false;
	for (u32 i = 0; i < surplus; i++)
		if (strstr(frames[i], MARK))
			return false;
	for (u32 i = 0; i < call->depth; i++)
		if (!is_function(frames[surplus + i], call->names[i]))
			return false;
	return true;
}

struct verdict {
	u64 whole, wrong;
};

static void print_wrong(const struct profile_sample *sample, const char *const *frames, u32 count)
{
	print_message("size %llu:", (unsigned long long)sample->size);
	for (u32 i = 0; i < count; i++)
		print_message(" %s", frames[i]);
	print_message("\n");
}

/* A block of one of the calls: its stack is that of a call of this size. Blocks of others have no frame of the program's. */
static void judge(const struct profile *profile, const struct profile_sample *sample, struct account *account,
		  struct verdict *verdict)
{
	const char *frames[FRAMES_MAX];
	bool is_ours = false, is_known = false;
	u32 beyond, count = counted_frames(profile, sample, frames, &beyond);

	for (size_t i = 0; i < account->count; i++) {
		struct call *call = &account->calls[i];

		if (call->size != sample->size)
			continue;
		is_ours = true;
		if (beyond && is_call(call, frames, count))
			is_known = call->found = true;
	}
	if (!is_ours || !count || is_known)
		return;
	if (!verdict->wrong++)
		print_wrong(sample, frames, count);
}

/*
 * At least 99.5 % of the calls have their stack, not counting `raw` ones, which were sent without the other stack that Go and OCaml
 * have; and no stack has a caller that was none.
 */
static void assert_account(const char *path, const char *profile_path, u64 raw, bool named)
{
	struct account account = {0};
	struct verdict verdict = {0};
	struct profile *profile;
	u64 sized = 0;

	account_read(path, &account);
	assert_int_equal(pprof_read(profile_path, &profile), 0);
	for (u32 i = 0; i < profile->sample_count; i++) {
		sized += profile->samples[i].size == account.calls[0].size;
		judge(profile, &profile->samples[i], &account, &verdict);
	}
	for (size_t i = 0; i < account.count; i++)
		verdict.whole += account.calls[i].found;
	print_message("%zu calls: %llu whole, %llu wrong; %llu stacks sent raw\n", account.count,
		      (unsigned long long)verdict.whole, (unsigned long long)verdict.wrong, (unsigned long long)raw);
	assert_true(sized > 0);
	assert_int_equal(verdict.wrong, 0);
	assert_true(!named || 1000 * (verdict.whole + raw) >= 995 * account.count);
	profile_free(profile);
	free(account.calls);
	free(account.text);
}

static const char *account_path(const struct scene *scene)
{
	return format("%s/account", scene->dir);
}

/* `named`: the runtime can say which of its functions is where. */
static void check_recorded(const struct scene *scene, const char *comm, bool named)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, comm);

	ledger_assert_balanced(process);
	assert_account(account_path(scene), index_file(&scene->session, process, ".pb.gz"),
		       index_number(process, "ledger.stack_raw"), named);
	unlink(format("/tmp/perf-%d.map", (int)index_number(process, "pid")));
	cJSON_Delete(index);
}

/* Record `command COUNT FILE` and compare. */
static void check_language(struct scene *scene, const char *comm, bool named, const char *const *command)
{
	const char *args[WORDS_MAX] = {"-R", INTERVAL, "-f", "pprof", "--"};
	unsigned int count = 5;

	for (; *command; command++)
		args[count++] = *command;
	args[count++] = variable_or("CALLS", "1000");
	args[count++] = account_path(scene);
	assert_int_equal(session_run(&scene->session, scene, args), 0);
	check_recorded(scene, comm, named);
}

static const char *source(const char *name)
{
	return format("%s/tests/e2e/targets/languages/%s", SOURCE_DIR, name);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Before 3.12 the interpreter cannot say which of its functions runs: only C's are named then. */
static void test_python_is_as_its_frames_say(void **state)
{
	static const char is_old[] = "import sys; sys.exit(sys.version_info < (3, 12))";
	const char *python = variable_or("PYTHON", "/usr/bin/python3");
	struct scene *scene = *state;
	bool named;

	scene->target.pid = child_start(
		&(struct child_launch){(const char *const[]){python, "-c", is_old, NULL}, NULL, -1, -1, -1, 0});
	named = target_finish(&scene->target) == 0;
	check_language(scene, base_name(python), named,
		       named ? (const char *const[]){python, "-X", "perf", source("program.py"), NULL}
			     : (const char *const[]){python, source("program.py"), NULL});
}

/* By its own loader and libraries: that of Debian 13, which can say it whatever this machine's is. */
static void start_unpacked_python(struct scene *scene)
{
	const char *root = beside("root_python"), *libraries = format("%s/usr/lib/x86_64-linux-gnu", root);

	target_start(&scene->target, (const char *const[]){format("PYTHONHOME=%s/usr", root), NULL},
		     (const char *const[]){format("%s/ld-linux-x86-64.so.2", libraries), "--library-path", libraries,
					   format("%s/usr/bin/python3.13", root), "-S", "-X", "perf",
					   source("program.py"), variable_or("CALLS", "1000"), account_path(scene),
					   "wait", NULL});
	target_ready(&scene->target);
}

static void test_python_of_debian_13_is_as_its_frames_say(void **state)
{
	struct scene *scene = *state;

	start_unpacked_python(scene);
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", INTERVAL, "-f", "pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	check_recorded(scene, "ld-linux-x86-64", true);
}

/* Without inlining, since a perf map has no names for what is inlined. */
static void test_node_is_as_its_errors_say(void **state)
{
	struct scene *scene = *state;

	check_language(scene, "node", true,
		       (const char *const[]){variable_or("NODE", "/usr/bin/node"), "--no-logfile-per-isolate",
					     format("--logfile=%s/v8.log", scene->dir), "--perf-basic-prof",
					     "--interpreted-frames-native-stack", "--max-inlined-bytecode-size=0",
					     "--max-inlined-bytecode-size-cumulative=0", source("program.js"), NULL});
}

static void check_java(struct scene *scene, const char *mode)
{
	check_language(scene, "java", true,
		       (const char *const[]){variable_or("JAVA", "/usr/bin/java"), "-XX:+PreserveFramePointer",
					     "-XX:-Inline", "-cp", beside("languages"), mode, "deep_Java", NULL});
}

static void test_java_interpreted_is_as_its_stack_walker_says(void **state)
{
	check_java(*state, "-Xint");
}

static void test_java_compiled_is_as_its_stack_walker_says(void **state)
{
	check_java(*state, "-Xcomp");
}

static void test_go_is_as_its_callers_say(void **state)
{
	check_language(*state, "program_go", true, (const char *const[]){beside("languages/program_go"), NULL});
}

static void test_ocaml_is_as_its_callstack_says(void **state)
{
	check_language(*state, "program_ml", true, (const char *const[]){beside("languages/program_ml"), NULL});
}

#ifdef WITH_RUST
static void test_rust_is_as_its_backtrace_says(void **state)
{
	check_language(*state, "program_rs", true, (const char *const[]){beside("languages/program_rs"), NULL});
}
#endif

/* --- what the summary says where malloc does not tell --- */

/* Their own heaps hold some 64 MiB, and malloc little. */
static void test_runtimes_are_named_that_have_heaps_of_their_own(void **state)
{
	static const char node[] = "const a = []; for (let i = 0; i < 1e6; i++) a.push({x: i});";
	static const char python[] = "a = [{'x': i} for i in range(200000)]";
	struct scene *scene = *state;

	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"--", "/usr/bin/node", "-e", node, NULL}), 0);
	session_assert_said(&scene->session, "It is Node.js: JavaScript's objects are not malloc's");
	assert_int_equal(
		session_run(&scene->second, scene, (const char *const[]){"--", "/usr/bin/python3", "-c", python, NULL}),
		0);
	assert_false(session_said(&scene->second, "It is Python: "));
}

static void test_java_is_named_that_has_a_heap_of_its_own(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"--", "/usr/bin/java", "-version", NULL}), 0);
	session_assert_said(&scene->session, "It is a Java virtual machine: Java's objects are not malloc's");
}

/* Nothing of it can be recorded. */
static void test_go_without_c_is_named(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){"--", beside("target_go"), NULL}),
			 125);
	session_assert_said(&scene->session, "no allocator heaptap knows");
	session_assert_said(
		&scene->session,
		"it is a Go program: Go's objects are not malloc's; 'heaptap record' reads the profile that Go keeps of them");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_python_is_as_its_frames_say),
		TEST(test_python_of_debian_13_is_as_its_frames_say),
		TEST(test_node_is_as_its_errors_say),
		TEST(test_java_interpreted_is_as_its_stack_walker_says),
		TEST(test_java_compiled_is_as_its_stack_walker_says),
		TEST(test_go_is_as_its_callers_say),
		TEST(test_ocaml_is_as_its_callstack_says),
		TEST(test_runtimes_are_named_that_have_heaps_of_their_own),
		TEST(test_java_is_named_that_has_a_heap_of_its_own),
		TEST(test_go_without_c_is_named),
#ifdef WITH_RUST
		TEST(test_rust_is_as_its_backtrace_says),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
