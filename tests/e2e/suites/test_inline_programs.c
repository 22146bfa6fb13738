/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record --inline --follow: real programs, and all that they start, print and return what they do without heaptap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "e2e/kit/session.h"

static char *output_of(const char *command, int *ret_status)
{
	FILE *pipe = popen(format("{ %s; } 2>&1", command), "re");
	char *text = NULL;
	size_t size = 0;
	int status;

	assert_non_null(pipe);
	if (getdelim(&text, &size, '\0', pipe) < 0)
		text = strdup("");
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	*ret_status = WEXITSTATUS(status);
	return text;
}

static void check_program(struct scene *scene, const char *script)
{
	char *plain, *traced;
	int status, traced_status;

	setenv("TMP", format("%s/work", scene->dir), 1);
	setenv("SCRIPT",
	       format("mkdir \"$TMP\" && cd \"$TMP\" && (\n%s\n); s=$?; cd / && rm -rf \"$TMP\"; exit $s", script), 1);
	plain = output_of("/bin/sh -c \"$SCRIPT\"", &status);
	traced = output_of(
		format("'%s' record -q --force -o '%s/out' -R 4096 --inline --follow -- /bin/sh -c \"$SCRIPT\"",
		       heaptap_path(), scene->dir),
		&traced_status);
	if (status != traced_status || strcmp(plain, traced))
		fail_msg("%s: status %d instead of %d, and it printed:\n%s\ninstead of:\n%s", script, traced_status,
			 status, traced, plain);
	free(plain);
	free(traced);
}

static void test_inline_programs_do_what_they_do(void **state)
{
	static const char *const scripts[] = {
		"seq 50000 | sort -R --random-source=/bin/sh | sort -n | md5sum",
		"ls -lR --time-style=+ /usr/include/linux | md5sum",
		"tar -C /usr/include/linux -c . | gzip -9 | gunzip | tar -t | md5sum",
		"find /usr/share/doc -name '*a*' | grep -v b | sed 's/a/b/g' | md5sum",
		"awk 'BEGIN { for (i = 0; i < 100000; i++) a[i % 997] = a[i % 997] \"x\"; print length(a[5]) }'",
		"perl -e 'my %h; $h{$_ % 1000} .= $_ for 1 .. 200000; print length(join(\"\", map { $h{$_} } sort keys %h))'",
		"bash -c 'for i in 1 2 3 4 5; do echo $(echo $i | cat) & wait; done'",
		"echo 'int main(void) { return 42; }' | gcc -O2 -x c -o /dev/stdout -S - | md5sum",
		"git --version && git -c core.pager=cat hash-object /bin/sh",
		"expr 6 '*' 7; exit 3",
		"python3 -c 'import json; print(len(json.dumps([{str(i): [i] * 5} for i in range(50000)])))'",
		"echo 'select sum(length(hex(zeroblob(100)))) from (with recursive n(i) as (values(1) union all select i+1 from n where "
		"i < 50000) select i from n);' | sqlite3",
		"echo '#include <map>\n#include <string>\nint main() { std::map<std::string, int> m; m[\"a\"] = 1; return m.size(); }' >"
		"$TMP/a.cc && g++ -O1 -o $TMP/a $TMP/a.cc && $TMP/a; echo $?",
		"cd $TMP && git init -q g && cd g && seq 2000 >f && git add f && git -c user.name=a -c user.email=a@a commit -qm x && "
		"git gc -q && git fsck && git show --stat --format=%s",
		"printf 'all: a b c\n%%: ; @echo $@ | tr a-z A-Z\n' >$TMP/Makefile && make -s -C $TMP",
		"xz -c /bin/sh | xz -dc | cmp - /bin/sh && echo same",
		"perl -e 'for (1..200) { my $p = fork; if (!$p) { my @a = map { $_ x 10 } 1..100; exit(@a % 7) } waitpid $p, 0; "
		"$s += $? >> 8 } print $s'",
		"cp /bin/su $TMP/su && chmod 4755 $TMP/su && $TMP/su -s /bin/sh nobody -c 'id -un'",
		"sh -c 'kill -SEGV $$'; echo $?",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		check_program(*state, scripts[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_programs_do_what_they_do),
	};

	return cmocka_run_group_tests_name("inline_programs", tests, NULL, NULL);
}
