/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heaptap.bash, as bash asks it: every verb, option and word of the tables is offered where it may stand, and no other. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/option_table.h"
#include "unit/binary/shell.h"
#include "unit/system/scratch.h"

/*
 * What readline does with a line whose end the cursor is at: it breaks words at blanks, = and :, which are words of their own, and
 * puts the answer in the last one's place. Prints the line that each answer makes, in the order of letters. bash-completion reads the
 * file when heaptap is first completed, from within a function.
 */
static const char readline[] =
	"load() { . \"$1\"; }\n"
	"load \"$1\"\n"
	"COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'\n"
	"broken=${2//=/ = } broken=${broken//:/ : }\n"
	"read -r -a COMP_WORDS <<<\"$broken\"\n"
	"case $2 in *[[:space:]=:]) COMP_WORDS+=('') ;; esac\n"
	"COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
	"_heaptap heaptap \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\" 2>errors\n"
	"[ ! -s errors ] || { cat errors; exit 1; }\n"
	"for reply in \"${COMPREPLY[@]}\"; do echo \"${2%\"${COMP_WORDS[COMP_CWORD]}\"}$reply\"; done | LC_ALL=C sort\n";

static char answers[1 << 18]; /* a line each, and one more at the beginning */

/* The file under test stands at the top of what was built. */
static const char *built(char program[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);
	char *slash;

	assert_true(length > 0);
	program[length] = '\0';
	for (int up = 0; up < 4; up++) {
		slash = strrchr(program, '/');
		assert_non_null(slash);
		*slash = '\0';
	}
	return program;
}

static void complete_in(const char *directory, const char *line)
{
	FILE *file;

	scratch_file("readline.bash", readline, 0644);
	run("bash readline.bash '%s/heaptap.bash' '%s' >answers || { cat answers; false; }", directory, line);
	file = fopen("answers", "re");
	assert_non_null(file);
	answers[0] = '\n';
	answers[1 + fread(answers + 1, 1, sizeof(answers) - 2, file)] = '\0';
	fclose(file);
}

static void complete(const char *line)
{
	char program[PATH_MAX];

	complete_in(built(program), line);
}

static bool is_offered(const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	return strstr(answers, whole);
}

static void assert_offered(const char *typed, const char *line)
{
	complete(typed);
	if (!is_offered(line))
		fail_msg("'%s' is not completed to '%s' but to:%s", typed, line, answers);
}

static void assert_answers(const char *typed, const char *lines)
{
	complete(typed);
	assert_string_equal(answers + 1, lines);
}

static void test_completion_offers_the_verbs(void **state)
{
	(void)state;
	assert_answers("heaptap re", "heaptap record\nheaptap report\n");
	complete("heaptap ");
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_LAST; verb++) {
		char line[64];

		snprintf(line, sizeof(line), "heaptap%s", subcommand_text(verb)->name);
		if (!is_offered(line))
			fail_msg("'%s' is not offered", line);
	}
	assert_answers("heaptap --v", "heaptap --version\n");
	assert_answers("heaptap help ser", "heaptap help serve\n");
	assert_answers("heaptap help help", "");
}

/* Each row, at each verb: it has the option, or it has not. */
static void test_completion_offers_the_options_of_each_verb(void **state)
{
	(void)state;
	for (enum subcommand verb = SUBCOMMAND_NONE; verb <= SUBCOMMAND_LAST; verb++) {
		char typed[64];

		snprintf(typed, sizeof(typed), "heaptap%s -", subcommand_text(verb)->name);
		complete(typed);
		for (unsigned int i = 0; i < option_table_count; i++) {
			const char *name = option_table[i].name;
			char line[128];

			snprintf(line, sizeof(line), "%s-%s", typed, name);
			if (is_offered(line) != !!option_table_find(verb, name, strlen(name)))
				fail_msg("%s: offered: %d", line, is_offered(line));
			snprintf(line, sizeof(line), "%s%c", typed, option_table[i].letter);
			if (option_table[i].letter &&
			    is_offered(line) != !!option_table_find_letter(verb, option_table[i].letter))
				fail_msg("%s: offered: %d", line, is_offered(line));
		}
	}
	assert_answers("heaptap record --alloc", "heaptap record --alloc\nheaptap record --alloc-only\n");
}

static void test_completion_offers_the_words_of_options(void **state)
{
	(void)state;
	assert_answers("heaptap record -f ", "heaptap record -f all\nheaptap record -f folded\nheaptap record -f json\n"
					     "heaptap record -f pprof\nheaptap record -f text\n");
	assert_answers("heaptap record --format=pprof,t", "heaptap record --format=pprof,text\n");
	assert_answers("heaptap report -f t", "heaptap report -f table\nheaptap report -f text\n");
	assert_answers("heaptap report --sample-index inuse_s", "heaptap report --sample-index inuse_space\n");
	assert_answers("heaptap record --fail-on ", "heaptap record --fail-on growing\n");
	assert_answers("heaptap top --gogc o", "heaptap top --gogc off\n");
	assert_answers("heaptap record --trigger c", "heaptap record --trigger cgroup=\n");
	assert_answers("heaptap record --trigger rss=", "heaptap record --trigger rss=\n");
	assert_answers("heaptap push --to pyro", "heaptap push --to pyroscope+https://\n");
	assert_answers("heaptap push --to parca+https:", "heaptap push --to parca+https://\n");
	assert_answers("heaptap record -d ", "");
}

static void test_completion_offers_processes(void **state)
{
	char typed[64], line[64];

	(void)state;
	snprintf(typed, sizeof(typed), "heaptap record -p 1,%d", getpid());
	complete(typed);
	if (!is_offered(typed))
		fail_msg("'%s' is not completed to itself but to:%s", typed, answers);
	snprintf(line, sizeof(line), "heaptap doctor --pid=%.15s", "test_completion");
	assert_offered("heaptap doctor --pid=test_compl", line);
	assert_offered("heaptap record -a --comm test_compl", "heaptap record -a --comm test_completion");
	snprintf(typed, sizeof(typed), "heaptap record -a --comm %d", getpid());
	assert_answers(typed, "");
}

static void test_completion_offers_files_where_they_may_stand(void **state)
{
	(void)state;
	run("mkdir kept && : >kept.pb.gz && : >other");
	assert_answers("heaptap report k", "heaptap report kept\nheaptap report kept.pb.gz\n");
	assert_answers("heaptap top -b kept.", "heaptap top -b kept.pb.gz\n");
	assert_answers("heaptap record -o k", "heaptap record -o kept\n");
	assert_answers("heaptap report --base=oth", "heaptap report --base=other\n");
	assert_answers("heaptap record oth", "");
}

static void assert_groups(const char *typed, const char *mounts, const char *line)
{
	char lines[4 * PATH_MAX];

	/* As the kernel has them; each %s is the scratch directory. */
	snprintf(lines, sizeof(lines), mounts, scratch_path, scratch_path, scratch_path);
	scratch_file("mounts", lines, 0644);
	complete_in(".", typed);
	assert_string_equal(answers + 1, line);
}

#define MOUNT_OTHER                                                                                                    \
	"22 1 8:1 / / rw - ext4 /dev/root rw\n23 22 0:20 / %s/elsewhere rw shared:1 - cgroup none rw,memory\n"
#define MOUNT_PART  "24 22 0:21 /inner %s/part rw shared:2 - cgroup2 none rw\n"
#define MOUNT_WHOLE "25 22 0:21 / %s/whole\\040tree rw - cgroup2 none rw\n"

static void test_completion_offers_groups_wherever_they_are_mounted(void **state)
{
	char program[PATH_MAX];

	(void)state;
	run("mkdir -p elsewhere/web part/web.part 'whole tree/web.slice/x' 'whole tree/other'");
	run("sed 's,/proc/self/mountinfo,mounts,' '%s/heaptap.bash' >heaptap.bash", built(program));
	assert_groups("heaptap record --cgroup we", MOUNT_OTHER MOUNT_PART MOUNT_WHOLE,
		      "heaptap record --cgroup web.slice/\n");
	assert_groups("heaptap record --cgroup web.slice/", MOUNT_OTHER MOUNT_PART MOUNT_WHOLE,
		      "heaptap record --cgroup web.slice/x/\n");
	assert_groups("heaptap record --cgroup we", MOUNT_OTHER MOUNT_PART, "heaptap record --cgroup web.part/\n");
	assert_groups("heaptap record --cgroup we", MOUNT_OTHER, "");
}

static void test_completion_leaves_the_command_to_itself(void **state)
{
	(void)state;
	run(": >other");
	assert_offered("heaptap record --follow -- tes", "heaptap record --follow -- test");
	assert_answers("heaptap record -- cat oth", "heaptap record -- cat other\n");
	assert_answers("heaptap record -- cat --fol", "");
	/* A verb that runs no command has no end of its options. */
	assert_answers("heaptap report --f", "heaptap report --format\n");
	complete("heaptap report --");
	assert_false(is_offered("heaptap report --"));
	complete("heaptap doctor --");
	assert_true(is_offered("heaptap doctor --"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_completion_offers_the_verbs),
		TEST(test_completion_offers_the_options_of_each_verb),
		TEST(test_completion_offers_the_words_of_options),
		TEST(test_completion_offers_processes),
		TEST(test_completion_offers_files_where_they_may_stand),
		TEST(test_completion_offers_groups_wherever_they_are_mounted),
		TEST(test_completion_leaves_the_command_to_itself),
	};

	return cmocka_run_group_tests_name("completion", tests, NULL, NULL);
}
