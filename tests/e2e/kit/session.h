/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Runs heaptap and target programs for a test. Nothing here sleeps: every wait is for an event, with a deadline far
 * beyond what a healthy machine needs, and a wait that fails ends the test with what heaptap had said. Functions fail
 * the running cmocka test themselves and return only when all is well.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "child.h"

#define ENVIRONMENT_MAX 8
#define MORE_MAX	9

struct session {
	struct child child;
	int words_fd;
	char *words; /* everything said on stderr so far, by COMMAND too */
	size_t words_length;
	char output[PATH_MAX];
	/* what the next session_start is to use; reset by it */
	const char *environment[ENVIRONMENT_MAX + 1];
	const char *const *wrapper; /* argv to put in front of heaptap's; NULL: none */
	uid_t uid;		    /* run as this user, without any capability; 0: as root */
};

/* All that a test may leave behind; made by scene_setup, ended and removed by scene_teardown whatever happened. */
struct scene {
	char dir[PATH_MAX];   /* scratch */
	char truth[PATH_MAX]; /* prefix of the shim's logs */
	struct session session, second;
	struct child target;
	struct child more[MORE_MAX]; /* for tests that need several targets */
};

int scene_setup(void **state);
int scene_teardown(void **state);

const char *heaptap_path(void);

/*
 * `heaptap record -o DIR ARGS...` with a fresh DIR below the scene's; `args` is NULL-terminated. session_run starts,
 * waits for the end and returns the exit status.
 */
void session_start(struct session *session, const struct scene *scene, const char *const *args);
/* heaptap with exactly these arguments. */
void session_start_bare(struct session *session, const char *const *args);
void session_await(struct session *session, const char *words); /* until they have been said */
void session_await_times(struct session *session, const char *words, unsigned int times); /* so often */
bool session_heard(struct session *session,
		   const char *words);		/* false: it has ended, or the deadline passed, without them */
void session_attached(struct session *session); /* until all probes are live */
void session_signal(struct session *session, int signal);
int session_finish(struct session *session);
int session_run(struct session *session, const struct scene *scene, const char *const *args);
bool session_said(const struct session *session, const char *words);
void session_assert_said(const struct session *session, const char *words);

/* What it wrote. The index belongs to the caller (cJSON_Delete); the entry of a process is the last one with that comm, of those with samples if there are any.
 */
cJSON *session_index(const struct session *session);
cJSON *json_read(const char *path);
const cJSON *index_process(const cJSON *index, const char *comm);
const cJSON *index_process_of(const cJSON *index, pid_t pid); /* its first image; fails when there is none */
/* A number of a process, e.g. ("alloc_objects") or ("ledger.sampled"); fails when it is not there. */
uint64_t index_number(const cJSON *process, const char *path);
/* Path of the file with that suffix among a process's files; fails when it has none. */
const char *index_file(const struct session *session, const cJSON *process, const char *suffix);

/* What `heaptap report ARGS DIR` prints, errors too; the caller frees it. */
char *session_report(const struct session *session, const char *args);
