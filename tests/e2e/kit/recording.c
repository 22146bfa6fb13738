/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target that is recorded at interval 1. */
#include "recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text_profile.h"

void recording_begin(struct scene *scene)
{
	session_start(
		&scene->session, scene,
		(const char *const[]){"-R", "1", "-f", "text,pprof", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
}

void recording_start(struct scene *scene, const char *const *argv)
{
	target_start(&scene->target, NULL, argv);
	target_ready(&scene->target);
	recording_begin(scene);
}

void recording_end(struct scene *scene)
{
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	if (session_finish(&scene->session))
		fail_msg("heaptap failed, and said:\n%s", scene->session.words);
}

struct tally_row recording_objects(const struct scene *scene, const char *comm, uint64_t size)
{
	cJSON *index = session_index(&scene->session);
	struct text_profile text;
	struct tally_row row;
	struct tally tally;

	assert_int_equal(text_profile_read(index_file(&scene->session, index_process(index, comm), ".txt"), &text), 0);
	text_profile_tally(&text, 0, 0, &tally);
	row = tally_of_size(&tally, size);
	tally_release(&tally);
	text_profile_release(&text);
	cJSON_Delete(index);
	return row;
}

void recording_assert_leak(const struct scene *scene, const char *comm)
{
	struct tally_row row = recording_objects(scene, comm, 30000);

	assert_int_equal(row.in_use, 1);
	assert_int_equal(row.allocated, 101);
}
