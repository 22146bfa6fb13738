/* SPDX-License-Identifier: GPL-2.0-or-later */
/* curl_failure.c: codes of libcurl become causes; what has none of its own is not said to have been cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/curl_failure.h"

static void test_curl_failure_names_the_cause(void **state)
{
	(void)state;
	assert_int_equal(curl_failure(CURLE_COULDNT_RESOLVE_HOST), PUSH_FAILED_NO_NAME);
	assert_int_equal(curl_failure(CURLE_COULDNT_CONNECT), PUSH_FAILED_NO_CONNECTION);
	assert_int_equal(curl_failure(CURLE_PEER_FAILED_VERIFICATION), PUSH_FAILED_TLS);
	assert_int_equal(curl_failure(CURLE_OPERATION_TIMEDOUT), PUSH_FAILED_TIMEOUT);
	assert_int_equal(curl_failure(CURLE_WRITE_ERROR), PUSH_FAILED_BAD_ANSWER);
	assert_int_equal(curl_failure(CURLE_OUT_OF_MEMORY), PUSH_FAILED_NO_MEMORY);
}

static void test_curl_failure_is_a_cut_only_where_a_connection_was(void **state)
{
	(void)state;
	assert_int_equal(curl_failure(CURLE_OK), PUSH_FAILED_CUT);
	assert_int_equal(curl_failure(CURLE_RECV_ERROR), PUSH_FAILED_CUT);
	assert_int_equal(curl_failure(CURLE_PARTIAL_FILE), PUSH_FAILED_CUT);
	assert_int_equal(curl_failure(CURLE_FAILED_INIT), PUSH_FAILED_OTHER);
	assert_int_equal(curl_failure(CURLE_INTERFACE_FAILED), PUSH_FAILED_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_curl_failure_names_the_cause),
		cmocka_unit_test(test_curl_failure_is_a_cut_only_where_a_connection_was),
	};

	return cmocka_run_group_tests_name("curl_failure", tests, NULL, NULL);
}
