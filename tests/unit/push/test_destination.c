/* SPDX-License-Identifier: GPL-2.0-or-later */
/* destination.c: which URLs name a store, and what is wrong with the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "push/destination.h"

static void assert_is(const char *text, enum store_kind store, const char *url, bool open)
{
	struct destination destination;
	const char *why;

	assert_int_equal(destination_parse(text, &destination, &why), 0);
	assert_int_equal(destination.store, store);
	assert_string_equal(destination.url, url);
	assert_int_equal(destination_is_open(&destination), open);
	destination_release(&destination);
}

static void test_destination_names_store_and_url(void **state)
{
	(void)state;
	assert_is("pyroscope+http://localhost:4040", STORE_PYROSCOPE, "http://localhost:4040", false);
	assert_is("pyroscope+https://store.example/a/b/", STORE_PYROSCOPE, "https://store.example/a/b", false);
	assert_is("parca+http://127.0.0.1:7070//", STORE_PARCA, "http://127.0.0.1:7070", false);
	assert_is("otlp+http://[::1]:4318", STORE_OTLP, "http://[::1]:4318", false);
	assert_is("otlp+https://[2001:db8::1]", STORE_OTLP, "https://[2001:db8::1]", false);
}

static void test_destination_elsewhere_without_tls_is_open(void **state)
{
	(void)state;
	assert_is("otlp+http://[2001:db8::1]:4318", STORE_OTLP, "http://[2001:db8::1]:4318", true);
	assert_is("parca+http://localhost.example", STORE_PARCA, "http://localhost.example", true);
	assert_is("parca+http://127.0.0.1.example/", STORE_PARCA, "http://127.0.0.1.example", true);
	assert_is("parca+http://10.0.0.1:65535", STORE_PARCA, "http://10.0.0.1:65535", true);
}

static void assert_refused(const char *text, const char *words)
{
	struct destination destination;
	const char *why = "";

	assert_int_equal(destination_parse(text, &destination, &why), -EINVAL);
	if (!strstr(why, words))
		fail_msg("'%s': no \"%s\" in: %s", text, words, why);
}

static void test_destination_says_what_is_wrong(void **state)
{
	static const char *const schemes[] = {"",
					      "http://h",
					      "pyroscope://h",
					      "pyroscope+ftp://h",
					      "pyroscope+http:/h",
					      "Pyroscope+http://h",
					      "pyroscope",
					      "zipkin+http://h"};
	static const char *const hosts[] = {"",	    ":80", "h:",    "h:0", "h:65536", "h:8o", "h:80:80",
					    "[::1", "::1", "[]:80", "[g]", "h_\\x",   "a b",  "[::1]80"};
	char text[64];

	(void)state;
	for (unsigned int i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		assert_refused(schemes[i], "begins with none of pyroscope+http://");
	for (unsigned int i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
		strcpy(text, "parca+http://");
		assert_refused(strcat(strcat(text, hosts[i]), "/path"), strchr(hosts[i], ' ') ? "characters" : "HOST");
	}
	assert_refused("parca+http://user:secret@h/", "--auth-file");
	assert_refused("parca+http://user@h/", "--auth-file");
	assert_refused("parca+http://h/?a=b", "query");
	assert_refused("parca+http://h#a", "query");
	assert_refused("parca+http://h/\n", "characters");
	assert_refused("parca+http://h/\xc3\xa4", "characters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_destination_names_store_and_url),
		cmocka_unit_test(test_destination_elsewhere_without_tls_is_open),
		cmocka_unit_test(test_destination_says_what_is_wrong),
	};

	return cmocka_run_group_tests_name("destination", tests, NULL, NULL);
}
