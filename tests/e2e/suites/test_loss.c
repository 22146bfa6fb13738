/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Losses provoked on purpose, by a ring of a page and a live map of a hundred objects: they are counted by cause, the
 * ledger balances to the object, and once reconciled, what is reported in use is right.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_profile.h"

#define CHURN_BYTES 4321
#define PAIRS	    200000
#define THREADS	    4

struct outcome {
	cJSON *index;
	const cJSON *process;
	struct tally tally;
};

static void read_outcome(struct scene *scene, const char *comm, struct outcome *ret_outcome)
{
	struct text_profile text;

	ret_outcome->index = session_index(&scene->session);
	ret_outcome->process = index_process(ret_outcome->index, comm);
	ledger_assert_balanced(ret_outcome->process);
	assert_int_equal(text_profile_read(index_file(&scene->session, ret_outcome->process, ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, &ret_outcome->tally);
	text_profile_release(&text);
}

static void outcome_release(struct outcome *outcome)
{
	cJSON_Delete(outcome->index);
	tally_release(&outcome->tally);
}

/* Four threads churn; when all their blocks are freed and the target is idle, heaptap is stopped. */
static void record_churn(struct scene *scene, const char *setting, struct outcome *ret_outcome)
{
	target_start(&scene->target, NULL,
		     (const char *const[]){beside("target_churn"), "-w", "-t", format("%d", THREADS), "-n",
					   format("%d", PAIRS), "-z", format("%d", CHURN_BYTES), NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = setting;
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_ready(&scene->target);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	read_outcome(scene, "target_churn", ret_outcome);
}

static void test_loss_tiny_ring_ledger_balances_and_in_use_is_right(void **state)
{
	struct scene *scene = *state;
	struct outcome outcome;
	struct tally_row churned;
	uint64_t lost;

	record_churn(scene, "HEAPTAP_RING_BYTES=4096", &outcome);
	churned = tally_of_size(&outcome.tally, CHURN_BYTES);
	lost = index_number(outcome.process, "ledger.lost_ring");
	assert_true(lost > 0);
	assert_int_equal(churned.in_use, 0);
	assert_true(churned.allocated <= THREADS * PAIRS);
	assert_true(churned.allocated + lost >= THREADS * PAIRS);
	assert_true(index_number(outcome.process, "ledger.sampled") >= THREADS * PAIRS);
	session_assert_said(&scene->session, "lost");
	outcome_release(&outcome);
}

/* What is refused still counts as allocated, so only in-use falls short, by exactly that. */
static void test_loss_tiny_live_map_ledger_balances_and_refusals_are_said(void **state)
{
	struct scene *scene = *state;
	struct outcome outcome;
	uint64_t refused, sum[4];

	scene->session.environment[0] = "HEAPTAP_LIVE_MAX=100";
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "-f", "text,pprof", "--", beside("target_threads"), NULL}),
		0);
	read_outcome(scene, "target_threads", &outcome);
	refused = index_number(outcome.process, "ledger.refused");
	tally_sum(&outcome.tally, sum);
	assert_true(refused > 0);
	assert_true(sum[0] >= 800000);
	assert_true(sum[2] <= 128);
	session_assert_said(&scene->session, "lost: refused ");
	outcome_release(&outcome);
}

static void test_loss_tiny_live_map_holds_nothing_once_all_is_freed(void **state)
{
	struct outcome outcome;

	record_churn(*state, "HEAPTAP_LIVE_MAX=100", &outcome);
	assert_int_equal(tally_of_size(&outcome.tally, CHURN_BYTES).in_use, 0);
	assert_int_equal(tally_of_size(&outcome.tally, CHURN_BYTES).allocated, THREADS * PAIRS);
	outcome_release(&outcome);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loss_tiny_ring_ledger_balances_and_in_use_is_right),
		TEST(test_loss_tiny_live_map_ledger_balances_and_refusals_are_said),
		TEST(test_loss_tiny_live_map_holds_nothing_once_all_is_freed),
	};

	return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
