/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline --follow: real programs, and all that they start, print and return what they do without heaptap, while their
 * samples are taken inside. A kind of programs is one recording.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define SCRIPTS_MAX 16
#define COMMS_MAX   16

struct programs {
	const char *comms[COMMS_MAX]; /* that have some 20 samples and more: none once in 10^8 times */
	bool mixed;		      /* some of them have files that were not copied, so probes */
	const char *scripts[SCRIPTS_MAX];
};

/* Text, files, shells. */
static const struct programs tools = {
	{"ls", "tar", "gzip", "find", "sed", "awk", "bash", "diff", "dpkg-query", "ps"},
	false,
	{
		"seq 50000 | sort -R --random-source=/bin/sh | sort -n | md5sum",
		"ls -lR --time-style=+ /usr/include/linux | md5sum",
		"tar -C /usr/include/linux -c . | gzip -9 | gunzip | tar -t | md5sum",
		"find /usr/share/doc -name '*a*' | grep -v b | sed 's/a/b/g; s/\\(.*\\)c/\\1d/' | md5sum",
		"awk 'BEGIN { for (i = 0; i < 100000; i++) a[i % 997] = a[i % 997] \"x\"; print length(a[5]) }'",
		"bash -c 'for i in 1 2 3 4 5; do echo $(echo $i | cat) & done | sort; wait; declare -A a;"
		" for i in {1..3000}; do a[$i]=$(($i * 7)); done; echo ${#a[@]}; cat <(echo ${a[77]})'",
		"diff -r /usr/include/linux /usr/include/asm-generic | md5sum",
		"xz -c /bin/sh | xz -dc | cmp - /bin/sh && echo same",
		"seq 2 3000 | factor | md5sum; seq 3000 | paste - - | split -l 9 && cat x* | base64 | md5sum",
		"dpkg-query -W | md5sum",
		"seq 9999 | iconv -f latin1 -t utf-16 | md5sum; getent passwd root",
		"ps -o comm= -p $$; expr 6 '*' 7; exit 3",
		"find /usr/include/linux -name 'n*' -type f -print0 | xargs -0 -P 2 -n 20 cat | wc -c",
		"printf '#!/bin/sh\\necho script $*\\n' >s && chmod 755 s && env -i ./s 1 2 && timeout 60 nice ./s 3",
		"sh -c 'kill -SEGV $$'; echo $?",
		"/lib64/ld-linux-x86-64.so.2 /bin/echo by hand; ldd /bin/ls | sed 's/0x.*//'; LD_BIND_NOW=1 /bin/echo now",
	},
};

static const struct programs languages = {
	{"perl", "python3", "sqlite3", "secured", "expr", "su"},
	false,
	{
		"perl -e 'my %h; $h{$_ % 1000} .= $_ for 1 .. 200000; print length(join(\"\", map { $h{$_} } sort keys %h))'",
		"perl -e 'for (1..200) { my $p = fork; if (!$p) { my @a = map { $_ x 10 } 1..100; exit(@a % 7) } waitpid $p, 0; "
		"$s += $? >> 8 } print $s'",
		"perl -e 'my @l = map { {n => $_, s => sprintf(\"%05d\", $_ * 7919 % 10007)} } 1 .. 20000; "
		"@l = sort { $$a{s} cmp $$b{s} } @l; (my $t = join \",\", map { $$_{s} } @l) =~ s/(\\d)0/$1/g; print length $t'",
		"python3 -c 'import json; print(len(json.dumps([{str(i): [i] * 5} for i in range(50000)])))'",
		"python3 -c 'import subprocess; print(sum(int(subprocess.run([\"expr\", str(i), \"+\", \"1\"], "
		"stdout=subprocess.PIPE).stdout) for i in range(50)))'",
		"python3 -c 'import threading, zlib; r = []; t = [threading.Thread(target=lambda n=n: r.append("
		"len(zlib.compress(bytes(range(256)) * n * 99)))) for n in range(1, 17)]; [x.start() for x in t]; [x.join() for x in t]; "
		"print(sorted(r))'",
		"python3 -c 'import sqlite3, decimal, re; c = sqlite3.connect(\":memory:\"); c.execute(\"create table t(a)\"); "
		"c.executemany(\"insert into t values(?)\", [(str(decimal.Decimal(i) / 7),) for i in range(9999)]); "
		"print(len(re.sub(\"1(4+)\", r\"\\1\", \" \".join(r[0] for r in c.execute(\"select a from t order by a\")))))'",
		"echo 'select sum(length(hex(zeroblob(100)))) from (with recursive n(i) as (values(1) union all select i+1 from n where "
		"i < 50000) select i from n);' | sqlite3",
		/* Another user's program: the loader is in its secure mode, and perl taints what it reads. */
		"cp /usr/bin/perl secured && chown 1 secured && chmod 4755 secured && chmod 755 . && setpriv --reuid=65534 "
		"--clear-groups ./secured -e 'my @a = map { $_ x 20 } 1 .. 20000; print \"$< $> ${^TAINT} \", scalar @a'",
		"cp /bin/su su && chmod 4755 su && ./su -s /bin/sh nobody -c 'id -un'",
	},
};

static const struct programs builders = {
	{"cc1", "cc1plus", "as", "ld", "git", "clang", "objdump", "readelf", "nm", "protoc-c", "make", "dpkg-deb"},
	false,
	{
		"echo 'int main(void) { return 42; }' | gcc -O2 -x c -o /dev/stdout -S - | md5sum",
		"echo '#include <map>\n#include <string>\nint main() { std::map<std::string, int> m; m[\"a\"] = 1; return m.size(); }' "
		">a.cc && g++ -O1 -o a a.cc && ./a; echo $?",
		"echo 'int f(int a) { return a * 3; } int main(void) { return f(14); }' >a.c && clang -O2 -g -c a.c -o a.o && "
		"clang a.o -o a && ./a; echo $?",
		"printf '.globl _start\\n_start: mov $60,%%eax\\nmov $9,%%edi\\nsyscall\\n' | as -o a.o - && ld -o a a.o && ./a; echo $?; "
		"ar rc a.a a.o && nm a.a && strip a && wc -c <a",
		"objdump -d /bin/ls | md5sum; readelf -aW /lib/x86_64-linux-gnu/libm.so.6 | md5sum; nm -D /bin/ls | md5sum",
		"git --version && git -c core.pager=cat hash-object /bin/sh",
		"git init -q g && cd g && seq 2000 >f && git add f && git -c user.name=a -c user.email=a@a commit -qm x && "
		"git gc -q && git fsck && git show --stat --format=%s",
		"printf 'all: a b c\\n%%: ; @echo $@ | tr a-z A-Z\\n' >Makefile && make -s -j2 | sort",
		"printf 'syntax = \"proto3\"; message A { int32 b = 1; repeated string c = 2; }' >a.proto && protoc-c --c_out=. a.proto && "
		"md5sum a.pb-c.c",
		"mkdir -p d/DEBIAN d/usr && cp /bin/ls d/usr && printf 'Package: a\\nVersion: 1\\nArchitecture: all\\nMaintainer: a\\n"
		"Description: a\\n' >d/DEBIAN/control && dpkg-deb -Zxz -b d a.deb && dpkg-deb -x a.deb e && cmp d/usr/ls e/usr/ls",
	},
};

/* Linked with an allocator of their own, or without any that is known: each is found when it runs. */
static const struct programs strangers = {
	{"cc1"},
	true,
	{
		"echo '#include <stdlib.h>\n#include <stdio.h>\nint main(void) { long n = 0; for (int i = 1; i < 3000; i++) { char *p = "
		"malloc(i); p[i - 1] = 3; p = realloc(p, 2 * i); n += p[i - 1]; if (i % 3) free(p); } printf(\"%ld\\\\n\", n); }' >../a.c",
		"gcc -static -o a ../a.c && ./a",
		"gcc -static-pie -o a ../a.c && ./a",
		"musl-gcc -o a ../a.c && ./a",
		"musl-gcc -static -o a ../a.c && ./a",
		"for a in jemalloc tcmalloc mimalloc; do gcc -o a ../a.c -Wl,--no-as-needed -l$a && ./a; done",
		"echo 'package main\nfunc main() { s := 0; for i := 0; i < 99; i++ { s += len(make([]byte, i)) }; println(s) }' >a.go && gofmt "
		"a.go",
		"/sbin/ldconfig -p | wc -l",
	},
};

/* Those that have compilers, collectors or debuggers of their own. */
static const struct programs runtimes = {
	{"ruby", "php", "java", "node", "gm", "gdb", "strace"},
	true,
	{
		"ruby -rjson -e 'puts JSON.generate((1..20000).map { |n| {n => [n.to_s * 3] * 3} }).size; GC.start; "
		"puts IO.popen([\"expr\", \"6\", \"*\", \"7\"]).read; puts fork { exit 7 } && Process.wait2[1].exitstatus'",
		"php -r '$a = []; for ($i = 0; $i < 50000; $i++) $a[\"k$i\"] = str_repeat(\"x\", $i % 100); ksort($a); "
		"echo strlen(json_encode($a)), \" \", preg_match_all(\"/x{50}/\", implode(\",\", $a)), \"\\n\"; exit(3);'",
		"printf 'import java.util.*; import java.util.stream.*; public class A { public static void main(String[] a) throws Exception { "
		"System.out.println(IntStream.range(0, 200000).parallel().mapToObj(Integer::toString).collect(Collectors.groupingBy("
		"String::length)).size()); try { Object o = null; o.hashCode(); } catch (NullPointerException e) { System.out.println(1); } "
		"System.exit(5); } }' >A.java && javac A.java && java -Xmx256m A; echo $?",
		"node -e 'const z = require(\"zlib\"), c = require(\"child_process\"); const t = JSON.stringify([...Array(50000).keys()].map("
		"n => ({n, s: String(n).repeat(3)}))); console.log(z.gunzipSync(z.gzipSync(t)).length, c.execFileSync(\"expr\", [\"6\", "
		"\"*\", \"7\"]).toString()); process.exit(4)'; echo $?",
		"printf 'package main\n// #include <stdlib.h>\nimport \"C\"\nfunc main() { done := make(chan int); for i := 0; i < 8; i++ { go "
		"func() { for j := 0; j < 9999; j++ { p := C.malloc(C.size_t(j + 100)); C.free(p) }; done <- 1 }() }; n := 0; for i := 0; i < 8; "
		"i++ { n += <-done }; println(n) }' >a.go && GOCACHE=$PWD/c GO111MODULE=off go build -o a a.go && ./a",
		"printf 'fn main() { let t: Vec<_> = (0..4).map(|n| std::thread::spawn(move || (0..20000).map(|i| format!(\"{}\", i * n).len())"
		".sum::<usize>())).collect(); println!(\"{}\", t.into_iter().map(|t| t.join().unwrap()).sum::<usize>()); let r = "
		"std::panic::catch_unwind(|| { let v: Vec<u8> = vec![]; v[0] }); println!(\"{}\", r.is_err()) }' >a.rs && rustc -O a.rs && ./a "
		"2>/dev/null",
		"gm convert -size 300x200 gradient:red-blue -blur 3 -resize 50% a.ppm && md5sum <a.ppm && gm identify -format '%w %h\n' a.ppm",
		"printf '#include <stdlib.h>\nint main(void) { for (int i = 1; i < 99999; i++) free(malloc(i)); return 9; }' >a.c && gcc -g -o a "
		"a.c && gdb -nx -q -batch -ex 'break main' -ex run -ex 'print sizeof(int)' -ex continue ./a 2>&1 | grep -v -i process",
		"strace -f -e trace=exit_group,execve -e signal=none -o t sh -c 'expr 3 + 4; perl -e \"print length(join q(,), 1 .. 99999)\"'; "
		"grep -c . t; grep -o 'exit_group([0-9]*)' t | sort | uniq -c",
	},
};

static const char *word(const struct scene *scene, const char *name)
{
	return format("%s/%s", scene->dir, name);
}

/* A script that runs each in a directory of its own, and says which it is and what it ends with. heaptap's own lines are not of it. */
static void write_script(const struct scene *scene, const struct programs *programs)
{
	FILE *file = fopen(word(scene, "script"), "we");

	assert_non_null(file);
	fprintf(file, "exec 2>&1; umask 022; rm -rf '%s' && mkdir '%s' && cd '%s' || exit 99\n", word(scene, "work"),
		word(scene, "work"), word(scene, "work"));
	for (size_t i = 0; i < SCRIPTS_MAX && programs->scripts[i]; i++)
		fprintf(file, "mkdir %zu; (cd %zu\n%s\n)\necho \"= %zu ended with $?\"\n", i, i, programs->scripts[i],
			i);
	fclose(file);
}

static char *output_of(const char *command, int *ret_status)
{
	FILE *pipe = popen(command, "re");
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

static double inline_samples(const cJSON *index, const char *comm)
{
	const cJSON *process;
	double sum = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes")) {
		if (!comm || !strncmp(cJSON_GetObjectItem(process, "comm")->valuestring, comm, 15))
			sum += (double)index_number(process, "ledger.inline");
	}
	return sum;
}

static void assert_sampled(const struct scene *scene, const struct programs *programs)
{
	cJSON *index = json_read(word(scene, "out/index.json"));
	const cJSON *process;
	double sampled = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes")) {
		ledger_assert_balanced(process);
		sampled += (double)index_number(process, "ledger.sampled");
	}
	for (size_t i = 0; i < COMMS_MAX && programs->comms[i]; i++)
		if (inline_samples(index, programs->comms[i]) <= 0)
			fail_msg("nothing was sampled inside of %s", programs->comms[i]);
	if (!programs->mixed && inline_samples(index, NULL) < sampled)
		fail_msg("%.0f samples, %.0f of them inside", sampled, inline_samples(index, NULL));
	cJSON_Delete(index);
}

static void check(struct scene *scene, const struct programs *programs)
{
	const char *script = word(scene, "script");
	char *plain, *traced;
	int status;

	write_script(scene, programs);
	plain = output_of(format("/bin/sh '%s'", script), &status);
	assert_int_equal(status, 0);
	traced = output_of(format("'%s' record -q -o '%s' -R 4096 --inline --follow -- /bin/sh '%s'", heaptap_path(),
				  word(scene, "out"), script),
			   &status);
	if (status || strcmp(plain, traced))
		fail_msg("status %d, and it printed:\n%s\ninstead of:\n%s", status, traced, plain);
	assert_sampled(scene, programs);
	free(plain);
	free(traced);
}

static void test_inline_tools_do_what_they_do(void **state)
{
	check(*state, &tools);
}

static void test_inline_languages_do_what_they_do(void **state)
{
	check(*state, &languages);
}

static void test_inline_builders_do_what_they_do(void **state)
{
	check(*state, &builders);
}

static void test_inline_strangers_do_what_they_do(void **state)
{
	check(*state, &strangers);
}

static void test_inline_runtimes_do_what_they_do(void **state)
{
	check(*state, &runtimes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_tools_do_what_they_do),    TEST(test_inline_languages_do_what_they_do),
		TEST(test_inline_builders_do_what_they_do), TEST(test_inline_strangers_do_what_they_do),
		TEST(test_inline_runtimes_do_what_they_do),
	};

	return cmocka_run_group_tests_name("inline_programs", tests, NULL, NULL);
}
