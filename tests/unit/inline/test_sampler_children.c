/* SPDX-License-Identifier: GPL-2.0-or-later */
/* running_sampler.c: children have the jumps too. One that cannot be looked at, for want of a descriptor, is not one without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#define pid_list_all	    list_of_test
#define sampler_mapping_has has_of_test
#define injection_undo	    undo_of_test

#include "inline/running_sampler.c"

#define PARENT	 5
#define CHILD	 7
#define STRANGER 8
#define UNSEEN	 9

static int list_err, unseen_err;
static unsigned int undone; /* in the child */

int list_of_test(struct pid_list *ret_list)
{
	static const pid_t pids[] = {PARENT, UNSEEN, CHILD, STRANGER};

	*ret_list = (struct pid_list){0};
	if (list_err)
		return list_err;
	ret_list->pids = malloc(sizeof(pids));
	assert_non_null(ret_list->pids);
	memcpy(ret_list->pids, pids, sizeof(pids));
	ret_list->count = sizeof(pids) / sizeof(*pids);
	return 0;
}

int has_of_test(pid_t pid, int file)
{
	(void)file;
	assert_int_not_equal(pid, PARENT);
	return pid == UNSEEN ? unseen_err : pid == CHILD;
}

int undo_of_test(pid_t pid, const struct injection_patch *patches, u32 count, u64 *ret_stopped_ns)
{
	(void)patches, (void)count, (void)ret_stopped_ns;
	assert_int_equal(pid, CHILD);
	undone++;
	return 0;
}

static const struct running_sampler sampler = {.pid = PARENT, .file = -1};

static int setup(void **state)
{
	(void)state;
	list_err = unseen_err = 0;
	undone = 0;
	return 0;
}

static void test_children_that_have_it_lose_it(void **state)
{
	(void)state;
	assert_int_equal(undo_in_children(&sampler), 0);
	assert_int_equal(undone, SEARCHES);
}

static void test_child_that_cannot_be_looked_at_is_not_one_without(void **state)
{
	(void)state;
	unseen_err = -EMFILE;
	assert_int_equal(undo_in_children(&sampler), -EMFILE);
	/* The others all the same. */
	assert_int_equal(undone, SEARCHES);
}

static void test_processes_of_other_users_are_no_children(void **state)
{
	(void)state;
	unseen_err = -EACCES;
	assert_int_equal(undo_in_children(&sampler), 0);
	assert_int_equal(undone, SEARCHES);
}

static void test_children_that_cannot_be_listed_are_not_none(void **state)
{
	(void)state;
	list_err = -ENOMEM;
	assert_int_equal(undo_in_children(&sampler), -ENOMEM);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_children_that_have_it_lose_it),
		TEST(test_child_that_cannot_be_looked_at_is_not_one_without),
		TEST(test_processes_of_other_users_are_no_children),
		TEST(test_children_that_cannot_be_listed_are_not_none),
	};

	return cmocka_run_group_tests_name("sampler children", tests, NULL, NULL);
}
