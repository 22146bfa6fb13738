/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts, steers and ends heaptap and its targets, and finds what heaptap wrote. Everything started belongs to a scene,
 * whose teardown ends it by its process id, so that a test that fails half-way leaves nothing running.
 */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const char *heaptap_path(void)
{
	const char *path = getenv("HEAPTAP");

	return path ? path : beside("../../heaptap");
}

/* --- heaptap --- */

static const char **compose(const struct session *session, const char *const *args)
{
	static const char *argv[64];
	unsigned int count = 0;

	for (const char *const *word = session->wrapper; word && *word; word++)
		argv[count++] = *word;
	argv[count++] = heaptap_path();
	for (; *args && count < 63; args++)
		argv[count++] = *args;
	argv[count] = NULL;
	return argv;
}

void session_start_bare(struct session *session, const char *const *args)
{
	int words[2];

	if (pipe2(words, O_CLOEXEC))
		fail_msg("pipe2: %s", strerror(errno));
	free(session->words);
	session->words = strdup("");
	session->words_length = 0;
	if (session->words_fd >= 0)
		close(session->words_fd);
	session->child.pid = child_start(
		&(struct child_launch){compose(session, args), session->environment, -1, -1, words[1], session->uid});
	session->words_fd = words[0];
	close(words[1]);
	memset(session->environment, 0, sizeof(session->environment));
	session->wrapper = NULL;
	session->uid = 0;
}

void session_start(struct session *session, const struct scene *scene, const char *const *args)
{
	static unsigned int runs;
	const char *argv[60] = {"record", "-o", session->output};
	unsigned int count = 3;

	snprintf(session->output, sizeof(session->output), "%.2000s/out%u", scene->dir, ++runs);
	for (; *args && count < 59; args++)
		argv[count++] = *args;
	session_start_bare(session, argv);
}

/* More words; false at the end of the stream or the deadline. */
static bool hear(struct session *session)
{
	struct pollfd poll_fd = {.fd = session->words_fd, .events = POLLIN};
	char buffer[4096];
	ssize_t length;

	if (poll(&poll_fd, 1, DEADLINE_MS) != 1)
		return false;
	length = read(session->words_fd, buffer, sizeof(buffer));
	if (length <= 0)
		return false;
	session->words = realloc(session->words, session->words_length + (size_t)length + 1);
	if (!session->words)
		abort();
	memcpy(session->words + session->words_length, buffer, (size_t)length);
	session->words_length += (size_t)length;
	session->words[session->words_length] = '\0';
	return true;
}

bool session_said(const struct session *session, const char *words)
{
	return strstr(session->words, words);
}

void session_assert_said(const struct session *session, const char *words)
{
	if (!session_said(session, words))
		fail_msg("\"%s\" is not in what heaptap said:\n%s", words, session->words);
}

static unsigned int count_said(const struct session *session, const char *words)
{
	unsigned int count = 0;

	for (const char *found = strstr(session->words, words); found; found = strstr(found + 1, words))
		count++;
	return count;
}

void session_await_times(struct session *session, const char *words, unsigned int times)
{
	while (count_said(session, words) < times) {
		if (!hear(session))
			fail_msg("heaptap did not say \"%s\" %u times but:\n%s", words, times, session->words);
	}
}

bool session_heard(struct session *session, const char *words)
{
	while (!session_said(session, words))
		if (!hear(session))
			return false;
	return true;
}

void session_await(struct session *session, const char *words)
{
	session_await_times(session, words, 1);
}

void session_attached(struct session *session)
{
	session_await(session, "heaptap: tracing");
}

void session_signal(struct session *session, int signal)
{
	if (kill(session->child.pid, signal))
		fail_msg("heaptap is gone; it said:\n%s", session->words);
}

/*
 * The words end when heaptap and all that inherited its stderr have ended; a COMMAND may outlive it, so the end of
 * heaptap itself is what is waited for, and then what has been said by then is taken in.
 */
int session_finish(struct session *session)
{
	int pidfd = syscall(SYS_pidfd_open, session->child.pid, 0);
	struct pollfd poll_fds[2] = {{.fd = session->words_fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

	while (pidfd >= 0 && poll(poll_fds, 2, DEADLINE_MS) > 0 && !poll_fds[1].revents) {
		if (!hear(session))
			poll_fds[0].fd = -1;
	}
	if (pidfd >= 0)
		close(pidfd);
	if (!child_reap(&session->child))
		fail_msg("heaptap did not end; it said:\n%s", session->words);
	poll_fds[0].fd = session->words_fd;
	while (poll(poll_fds, 1, 0) == 1 && hear(session))
		;
	return child_exit_status(session->child.status);
}

int session_run(struct session *session, const struct scene *scene, const char *const *args)
{
	session_start(session, scene, args);
	return session_finish(session);
}

/* --- what it wrote --- */

cJSON *json_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	cJSON *json;

	if (!file || getdelim(&text, &size, '\0', file) < 0)
		fail_msg("%s cannot be read, or is empty", path);
	fclose(file);
	json = cJSON_Parse(text);
	if (!json)
		fail_msg("%s is no JSON:\n%s", path, text);
	free(text);
	return json;
}

cJSON *session_index(const struct session *session)
{
	const char *path = format("%s/index.json", session->output);

	if (access(path, R_OK))
		fail_msg("no index.json; heaptap said:\n%s", session->words);
	return json_read(path);
}

static bool has_samples(const cJSON *process)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(process, "samples")) > 0;
}

const cJSON *index_process(const cJSON *index, const char *comm)
{
	const cJSON *entry, *found = NULL;

	cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "comm"));

		if (name && !strncmp(name, comm, 15) && (!found || has_samples(entry) || !has_samples(found)))
			found = entry;
	}
	if (!found)
		fail_msg("no process %s in index.json:\n%s", comm, cJSON_Print(index));
	return found;
}

const cJSON *index_process_of(const cJSON *index, pid_t pid)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, cJSON_GetObjectItemCaseSensitive(index, "processes"))
		if (index_number(entry, "pid") == (uint64_t)pid)
			return entry;
	fail_msg("no process %d in index.json:\n%s", pid, cJSON_Print(index));
	return NULL;
}

uint64_t index_number(const cJSON *process, const char *path)
{
	const cJSON *item = process;
	char *copy = strdup(path), *rest = NULL;

	for (char *name = strtok_r(copy, ".", &rest); name; name = strtok_r(NULL, ".", &rest))
		item = cJSON_GetObjectItemCaseSensitive(item, name);
	free(copy);
	if (!cJSON_IsNumber(item))
		fail_msg("no number %s in index.json:\n%s", path, cJSON_Print(process));
	return (uint64_t)cJSON_GetNumberValue(item);
}

const char *index_file(const struct session *session, const cJSON *process, const char *suffix)
{
	const cJSON *file;

	cJSON_ArrayForEach (file, cJSON_GetObjectItemCaseSensitive(process, "files")) {
		const char *name = cJSON_GetStringValue(file);
		size_t length = name ? strlen(name) : 0;

		if (length > strlen(suffix) && !strcmp(name + length - strlen(suffix), suffix))
			return format("%s/%s", session->output, name);
	}
	fail_msg("no file %s of that process; heaptap said:\n%s", suffix, session->words);
	return NULL;
}

char *session_report(const struct session *session, const char *args)
{
	const char *command = format("%s report %s '%s' 2>&1", heaptap_path(), args, session->output);
	FILE *pipe = popen(command, "re");
	char *text = NULL;
	size_t size = 0;

	if (!pipe || getdelim(&text, &size, '\0', pipe) < 0)
		fail_msg("%s: no output", command);
	if (pclose(pipe))
		fail_msg("%s:\n%s", command, text);
	return text;
}

/* --- scenes --- */

int scene_setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const char *parent = getenv("TMPDIR");

	if (!scene)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	snprintf(scene->dir, sizeof(scene->dir), "%.1000s/heaptap-e2e-XXXXXX", parent ? parent : P_tmpdir);
	if (!mkdtemp(scene->dir) || chmod(scene->dir, 0755)) {
		free(scene);
		return -1;
	}
	snprintf(scene->truth, sizeof(scene->truth), "%.2000s/truth", scene->dir);
	scene->target = (struct child){.in = -1, .out = -1};
	scene->session.child = scene->second.child = scene->target;
	for (int i = 0; i < MORE_MAX; i++)
		scene->more[i] = scene->target;
	scene->session.words_fd = scene->second.words_fd = -1;
	*state = scene;
	return 0;
}

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static void session_release(struct session *session)
{
	child_release(&session->child);
	if (session->words_fd >= 0)
		close(session->words_fd);
	free(session->words);
}

int scene_teardown(void **state)
{
	struct scene *scene = *state;

	session_release(&scene->session);
	session_release(&scene->second);
	child_release(&scene->target);
	for (int i = 0; i < MORE_MAX; i++)
		child_release(&scene->more[i]);
	nftw(scene->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(scene);
	return 0;
}
