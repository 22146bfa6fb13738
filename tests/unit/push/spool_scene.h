/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A spool in a scratch directory, which is the current one, and what was said of it. */
#include <sys/stat.h>
#include <unistd.h>

#include "push/spool.h"
#include "push/spool_file.h"
#include "unit/base/capture.h"
#include "unit/push/requests.h"
#include "unit/system/scratch.h"

#define MIB   (1u << 20)
#define BLOCK 4096
#define STORE "http://store:4040"

static struct push_ledger ledger;
static struct push_spool *spool;
static struct capture said; /* by the last push_spool_open */

static inline int open_spool(u64 bytes_max, const char *store)
{
	struct push_spool_options options = {"../spool", store, bytes_max};
	int err;

	capture_begin(&said, stderr);
	err = push_spool_open(&options, &ledger, &spool);
	capture_end(&said);
	return err;
}

/* As the next run finds it. */
static inline int reopen(u64 bytes_max, const char *store)
{
	push_spool_close(spool);
	spool = NULL;
	ledger = (struct push_ledger){0};
	return open_spool(bytes_max, store);
}

static inline void assert_said(const char *words)
{
	if (!strstr(said.text, words))
		fail_msg("'%s' was not said, but: %s", words, said.text);
}

/* The current directory is the spool's. */
static inline int begin(void **state)
{
	if (scratch_setup(state) || mkdir("work", 0700) || mkdir("spool", 0700) || chdir("spool"))
		return -1;
	ledger = (struct push_ledger){0};
	return open_spool(MIB, STORE);
}

static inline int end(void **state)
{
	push_spool_close(spool);
	spool = NULL;
	return scratch_teardown(state);
}

static inline void add(unsigned int number, size_t size)
{
	struct push_request request = request_make(number, size, (int64_t)number * 1000);

	assert_int_equal(push_spool_add(spool, &request), 0);
	push_request_free(&request);
}

static inline void assert_first(unsigned int number, size_t size)
{
	struct push_request request, wanted = request_make(number, size, (int64_t)number * 1000);

	assert_int_equal(push_spool_load(spool, &request), 0);
	assert_string_equal(request.path, wanted.path);
	assert_string_equal(request.content_type, wanted.content_type);
	assert_int_equal(request.gzip, wanted.gzip);
	assert_int_equal(request.size, size);
	assert_memory_equal(request.body, wanted.body, size);
	assert_int_equal(request.profiles, 2);
	assert_int_equal(request.samples, 30);
	assert_int_equal(request.taken_ns, wanted.taken_ns);
	push_request_free(&request);
	push_request_free(&wanted);
}

static inline void drop_first(void)
{
	struct push_amount amount = push_spool_drop(spool);

	ledger.attempts += amount.requests;
	push_amount_add(&ledger.sent, &amount);
}

static inline char *file_of(u64 number)
{
	static char name[SPOOL_FILE_NAME_MAX];

	spool_file_name(number, name);
	return name;
}

#define SPOOL_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
