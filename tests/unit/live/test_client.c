/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.c: what is asked of a recording on disk, and why nothing can be. */
#include "unit/format/recording_scene.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "live/client.h"

static bool lacks_descriptors;
static unsigned int runs;

/* The C library's place: the last descriptor may be gone by then. */
int signalfd(int fd, const sigset_t *mask, int flags)
{
	if (!lacks_descriptors)
		return (int)syscall(SYS_signalfd4, fd, mask, _NSIG / 8, flags);
	errno = EMFILE;
	return -1;
}

static int ask(struct source *source, int stop_fd, void *arg)
{
	struct source_listing listing;
	int err = source_list(source, false, &listing);

	(void)stop_fd, (void)arg;
	source_listing_release(&listing);
	runs++;
	return err ? STATUS_FAILED : STATUS_FOUND;
}

static int run_client(void)
{
	const struct live_client client = {.run = ask};
	int status;

	record_two(true);
	runs = 0;
	capture_begin(&errors, stderr);
	status = client_run_recorded(scratch_path, &client);
	capture_end(&errors);
	return status;
}

static void test_client_of_a_recording_gives_the_status(void **state)
{
	(void)state;
	assert_int_equal(run_client(), STATUS_FOUND);
	assert_int_equal(runs, 1);
	assert_string_equal(errors.text, "");
}

static void test_client_without_descriptors_says_so(void **state)
{
	(void)state;
	lacks_descriptors = true;
	assert_int_equal(run_client(), STATUS_FAILED);
	lacks_descriptors = false;
	assert_int_equal(runs, 0);
	assert_contains(errors.text, "cannot wait for signals: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_client_of_a_recording_gives_the_status, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_client_without_descriptors_says_so, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
