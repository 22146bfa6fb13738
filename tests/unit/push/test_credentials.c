/* SPDX-License-Identifier: GPL-2.0-or-later */
/* credentials.c: which files give which headers, and that none of their secrets is in what is said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"
#include "push/credentials.h"
#include "unit/base/capture.h"
#include "unit/system/scratch.h"

static struct credentials credentials;
static struct capture said;

/* A file for the owner alone, which may hold any bytes. */
static void write_private(const char *name, const char *bytes, size_t size)
{
	FILE *file;

	unlink(name);
	file = fopen(name, "we");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int read_saying(const char *auth_file, const char *tenant, const char *header_file)
{
	int status;

	capture_begin(&said, stderr);
	status = credentials_read(auth_file, tenant, header_file, &credentials);
	capture_end(&said);
	return status;
}

static void assert_said(const char *words, const char *secret)
{
	if (!strstr(said.text, words) || (secret && strstr(said.text, secret)))
		fail_msg("'%s' is not what was to be said, or is too much: %s", words, said.text);
}

static int use_auth(const char *text)
{
	write_private("auth", text, strlen(text));
	return read_saying("auth", NULL, NULL);
}

static int use_headers(const char *text)
{
	write_private("headers", text, strlen(text));
	return read_saying(NULL, NULL, "headers");
}

static void assert_auth_gives(const char *text, const char *header)
{
	assert_int_equal(use_auth(text), 0);
	assert_int_equal(credentials.header_count, 1);
	assert_string_equal(credentials.headers[0], header);
	credentials_release(&credentials);
}

/* The encoded ones are RFC 7617's own examples, and each length modulo 3. */
static void test_credentials_line_with_a_colon_is_basic(void **state)
{
	(void)state;
	assert_auth_gives("Aladdin:open sesame\n", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	assert_auth_gives("test:123\xc2\xa3", "Authorization: Basic dGVzdDoxMjPCow==");
	assert_auth_gives("a:b\r\nrest\n", "Authorization: Basic YTpi");
	assert_auth_gives("a:bc\n", "Authorization: Basic YTpiYw==");
	assert_auth_gives("a:b:c\n", "Authorization: Basic YTpiOmM=");
	assert_auth_gives("a:\n", "Authorization: Basic YTo=");
}

static void test_credentials_line_without_a_colon_is_a_token(void **state)
{
	(void)state;
	assert_auth_gives("glc_eyJvIjoi==\nsecond\n", "Authorization: Bearer glc_eyJvIjoi==");
	assert_int_equal(use_auth("two words\n"), STATUS_USAGE);
	assert_said("neither USER:PASSWORD nor a token", "two");
	assert_int_equal(use_auth("caf\xc3\xa9\n"), STATUS_USAGE);
}

static void test_credentials_that_would_end_a_header_are_refused(void **state)
{
	static const char nul[] = "user:pass\0word\n";

	(void)state;
	assert_int_equal(use_auth("user:pass\rX-Evil: yes\n"), STATUS_USAGE);
	assert_said("control characters", "Evil");
	assert_int_equal(use_auth("tok\ten\n"), STATUS_USAGE);
	write_private("auth", nul, sizeof(nul) - 1);
	assert_int_equal(read_saying("auth", NULL, NULL), STATUS_USAGE);
	assert_said("control characters", "pass");
	assert_int_equal(use_auth(""), STATUS_USAGE);
	assert_int_equal(use_auth("\nuser:password\n"), STATUS_USAGE);
	assert_said("'auth'", "password");
}

static void test_credentials_of_files_that_others_read_are_refused(void **state)
{
	(void)state;
	unlink("auth");
	scratch_file("auth", "user:password\n", 0640);
	assert_int_equal(read_saying("auth", NULL, NULL), STATUS_FAILED);
	assert_said("chmod 600", "password");
	unlink("headers");
	scratch_file("headers", "X-Key: abcdef\n", 0604);
	assert_int_equal(read_saying(NULL, NULL, "headers"), STATUS_FAILED);
	assert_said("'headers'", "abcdef");
	assert_int_equal(read_saying("nowhere", NULL, NULL), STATUS_FAILED);
	assert_said("cannot read 'nowhere'", NULL);
}

static void test_credentials_headers_of_a_file(void **state)
{
	(void)state;
	assert_int_equal(use_headers("# keys\n\nX-Key:  abc def \r\nX-Other:\tv:w\n"), 0);
	assert_int_equal(credentials.header_count, 2);
	assert_string_equal(credentials.headers[0], "X-Key: abc def");
	assert_string_equal(credentials.headers[1], "X-Other: v:w");
	credentials_release(&credentials);
	assert_int_equal(credentials.header_count, 0);
}

static void test_credentials_headers_that_cannot_be_sent_are_named_by_their_line(void **state)
{
	static const struct {
		const char *text, *words;
	} faults[] = {
		{"\nX-Key secret\n", "line 2 of 'headers' does not begin with NAME:"},
		{": secret\n", "line 1 of 'headers' does not begin with NAME:"},
		{"X Key: secret\n", "does not begin with NAME:"},
		{"X-K\xc3\xa9y: secret\n", "does not begin with NAME:"},
		{" X-Key: secret\n", "does not begin with NAME:"},
		{"X-Key: sec\rret\n", "control characters"},
		{"X-Key: secret\nx-key: secret2\n", "line 2 of 'headers' has a header that is there already"},
		{"content-LENGTH: 7\n", "that heaptap sets itself"},
		{"Host: secret\n", "that heaptap sets itself"},
		{"X-Key: \t\n", "without a value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		assert_int_equal(use_headers(faults[i].text), STATUS_USAGE);
		assert_said(faults[i].words, "sec");
	}
}

static void test_credentials_of_too_many_or_too_much_are_refused(void **state)
{
	char text[CREDENTIALS_FILE_MAX + 2] = "";
	size_t length = 0;

	(void)state;
	for (int i = 0; i <= CREDENTIALS_HEADERS_MAX; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "X-%d: v\n", i);
	assert_int_equal(use_headers(text), STATUS_USAGE);
	assert_said("line 33 of 'headers' is one header too many", NULL);
	memset(text, '#', sizeof(text) - 1);
	assert_int_equal(use_headers(text), STATUS_USAGE);
	assert_said("more than 65536 bytes", NULL);
	memset(text, 'a', sizeof(text) - 1);
	text[CREDENTIALS_LINE_MAX + 1] = '\0';
	assert_int_equal(use_auth(text), STATUS_USAGE);
	assert_said("'auth'", "aaaa");
	memcpy(text, "X-Key: ", 7);
	assert_int_equal(use_headers(text), STATUS_USAGE);
	assert_said("line 1 of 'headers' is too long", "aaaa");
}

static void test_credentials_tenant_is_a_header(void **state)
{
	char tenant[CREDENTIALS_TENANT_MAX + 2];

	(void)state;
	assert_int_equal(read_saying(NULL, "team-1|team-2", NULL), 0);
	assert_string_equal(credentials.headers[0], "X-Scope-OrgID: team-1|team-2");
	assert_false(credentials_are_in(&credentials, "team-1|team-2"));
	credentials_release(&credentials);
	assert_int_equal(read_saying(NULL, "", NULL), STATUS_USAGE);
	assert_int_equal(read_saying(NULL, " team", NULL), STATUS_USAGE);
	assert_int_equal(read_saying(NULL, "a\r\nX-Evil: yes", NULL), STATUS_USAGE);
	memset(tenant, 'a', sizeof(tenant) - 1);
	tenant[sizeof(tenant) - 1] = '\0';
	assert_int_equal(read_saying(NULL, tenant, NULL), STATUS_USAGE);
	assert_said("cannot be a tenant", NULL);
	write_private("headers", "x-scope-orgid: b\n", 17);
	assert_int_equal(read_saying(NULL, "a", "headers"), STATUS_USAGE);
	assert_said("that is there already", NULL);
}

static void test_credentials_secrets_are_recognized(void **state)
{
	(void)state;
	write_private("auth", "Aladdin:open sesame\n", 20);
	write_private("headers", "X-Key: abcdef\n", 14);
	assert_int_equal(read_saying("auth", "tenant", "headers"), 0);
	assert_int_equal(credentials.header_count, 3);
	assert_true(credentials_are_in(&credentials, "you sent open sesame."));
	assert_true(credentials_are_in(&credentials, "{\"got\":\"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\"}"));
	assert_true(credentials_are_in(&credentials, "abcdefg"));
	assert_false(credentials_are_in(&credentials, "Aladdin of tenant has no X-Key"));
	credentials_release(&credentials);
	assert_int_equal(use_auth("token0123\n"), 0);
	assert_true(credentials_are_in(&credentials, "Bearer token0123"));
	assert_false(credentials_are_in(&credentials, "Bearer token012"));
	credentials_release(&credentials);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_credentials_line_with_a_colon_is_basic),
		cmocka_unit_test(test_credentials_line_without_a_colon_is_a_token),
		cmocka_unit_test(test_credentials_that_would_end_a_header_are_refused),
		cmocka_unit_test(test_credentials_of_files_that_others_read_are_refused),
		cmocka_unit_test(test_credentials_headers_of_a_file),
		cmocka_unit_test(test_credentials_headers_that_cannot_be_sent_are_named_by_their_line),
		cmocka_unit_test(test_credentials_of_too_many_or_too_much_are_refused),
		cmocka_unit_test(test_credentials_tenant_is_a_header),
		cmocka_unit_test(test_credentials_secrets_are_recognized),
	};

	return cmocka_run_group_tests_name("credentials", tests, scratch_setup, scratch_teardown);
}
