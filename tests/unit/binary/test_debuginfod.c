/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c with debuginfod.c: names from a server. */
#include "stripped_root.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "binary/debug_file.h"
#include "binary/debuginfod.h"

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

static void test_debuginfod_that_is_named_is_asked(void **state)
{
	(void)state;
	serve("names.debug");
	assert_all_lines("/stripped.so");
	unsetenv("DEBUGINFOD_URLS");
	assert_nothing("/stripped.so");
}

static void test_debuginfod_that_sends_another_build_is_not_believed(void **state)
{
	(void)state;
	run("echo 'int other;' > other.c && gcc -g -shared -Wl,--build-id -o other.so other.c");
	serve("other.so");
	assert_nothing("/stripped.so");
	unsetenv("DEBUGINFOD_URLS");
}

/* It takes the connection and says nothing: without a limit of our own that lasts as long as the library likes. */
static void test_debuginfod_that_never_answers_is_left_when_the_time_is_over(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct debuginfod *server;
	struct elf *elf = open_elf("/stripped.so"), *debug;
	const struct build_id id = debug_file_id(elf);
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
	assert_int_equal(debuginfod_new(100000000, &server), 0);
	assert_int_equal(debuginfod_find(server, &id, "/stripped.so", &debug), -ENOENT);
	assert_true(debuginfod_gave_up(server));
	assert_int_equal(debuginfod_find(server, &id, "/stripped.so", &debug), -ENOENT);
	alarm(0);
	debuginfod_free(server);
	elf_free(elf);
	close(listener);
	unsetenv("DEBUGINFOD_URLS");
}

static void test_debuginfod_without_a_name_is_none(void **state)
{
	struct debuginfod *server;

	(void)state;
	setenv("DEBUGINFOD_URLS", "", 1);
	assert_int_equal(debuginfod_new(1, &server), 0);
	assert_null(server);
	unsetenv("DEBUGINFOD_URLS");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_debuginfod_that_is_named_is_asked),
		CASE(test_debuginfod_that_sends_another_build_is_not_believed),
		CASE(test_debuginfod_that_never_answers_is_left_when_the_time_is_over),
		CASE(test_debuginfod_without_a_name_is_none),
	};

	unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
