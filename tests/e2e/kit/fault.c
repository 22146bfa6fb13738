/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fault.h"

#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "code.h"
#include "orphans.h"

static const char *log_path(const struct scene *scene)
{
	return format("%s/faults", scene->dir);
}

void fault_arm(const struct fault *fault, struct scene *scene)
{
	const char **variables = scene->session.environment;

	unlink(log_path(scene));
	variables[0] = format("LD_PRELOAD=%s", beside("shim_fault.so"));
	variables[1] = format("HEAPTAP_FAULT_LOG=%s", log_path(scene));
	if (fault->site)
		variables[2] = format("HEAPTAP_FAULT_SITE=%.16s", fault->site);
}

void fault_sites_read(const struct scene *scene, struct fault_sites *ret_sites)
{
	FILE *file = fopen(log_path(scene), "re");
	size_t size = 0;
	char *rest;

	*ret_sites = (struct fault_sites){0};
	if (!file || getdelim(&ret_sites->text, &size, '\0', file) <= 0)
		fail_msg("%s: no stack was logged", log_path(scene));
	fclose(file);
	ret_sites->lines = calloc(strlen(ret_sites->text), sizeof(*ret_sites->lines));
	assert_non_null(ret_sites->lines);
	rest = ret_sites->text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (strlen(line) > 16)
			ret_sites->lines[ret_sites->count++] = line;
}

void fault_sites_release(struct fault_sites *sites)
{
	free(sites->text);
	free(sites->lines);
	*sites = (struct fault_sites){0};
}

bool fault_has_happened(const struct scene *scene)
{
	return !access(log_path(scene), F_OK);
}

void fault_complain(struct fault *fault, const struct session *session, const char *format, ...)
{
	va_list args;

	fault->complaints++;
	printf("%s: ", fault->scenario);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n  after a failure of: %s\n  heaptap said: %s\n", fault->site ? fault->site : "nothing",
	       session->words ? session->words : "");
}

/* --- the end --- */

static bool is_documented(int status)
{
	static const int documented[] = {0, 1, 3, 4, 125, 126, 127};

	for (size_t i = 0; i < sizeof(documented) / sizeof(*documented); i++)
		if (status == documented[i])
			return true;
	return false;
}

/* What others print when they are at a loss; heaptap speaks for itself. */
static const char *foreign_words(const char *words)
{
	static const char *const foreign[] = {"libbpf:",   "Assertion",	       "corrupted", "terminate called",
					      "Sanitizer", "DOES NOT BALANCE", "(null)"};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		if (strstr(words, foreign[i]))
			return foreign[i];
	return NULL;
}

/* Libraries that do not survive it: they read through null pointers, or exit, as libdw's own handler of want of memory does. */
static bool ends_in_library(const struct fault *fault, const struct session *session, int status)
{
	const char *site = fault->site ? fault->site : "";

	return (status == 128 + SIGSEGV &&
		(strstr(site, " libdw.so") || strstr(site, " libbpf.so") || strstr(site, " libcapstone.so"))) ||
	       (status == 1 && session_said(session, ": libdw: "));
}

void fault_check_end(struct fault *fault, const struct session *session, int status)
{
	const char *foreign = foreign_words(session->words);

	if (ends_in_library(fault, session, status)) {
		fault->killed = true;
		printf("%s: a library ended it: %.100s ...\n", fault->scenario, fault->site);
		return;
	}
	if (!is_documented(status))
		fault_complain(fault, session, "it ended with status %d", status);
	else if (status && !session_said(session, "heaptap: ") && !session_said(session, "no  ") &&
		 !session_said(session, "?  "))
		fault_complain(fault, session, "it ended with status %d and did not say why", status);
	if (foreign)
		fault_complain(fault, session, "it said \"%s\"", foreign);
}

/* --- files --- */

static char unexpected[PATH_MAX];
static bool any, temporary;

static int look_at(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	const char *name = path + walk->base;

	(void)status;
	if (flag != FTW_F)
		return 0;
	if (!fnmatch(".heaptap-*.tmp", name, 0)) {
		temporary = true;
		return 0;
	}
	any = true;
	if (fnmatch("*.pb.gz", name, 0) && strcmp(name, "index.json"))
		snprintf(unexpected, sizeof(unexpected), "%s", name);
	return 0;
}

static bool balances(const cJSON *process)
{
	static const char *const ends[] = {"freed",	 "live",   "ended",	    "refused",	  "lost_ring",
					   "lost_stash", "failed", "return_missed", "entry_only", "in_flight"};
	const cJSON *ledger = cJSON_GetObjectItemCaseSensitive(process, "ledger");
	double sum = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sum += cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ledger, ends[i]));
	return sum == cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ledger, "sampled"));
}

static void check_ledgers(struct fault *fault, const struct session *session)
{
	cJSON *index = session_index(session);
	const cJSON *process;

	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes"))
		if (!balances(process))
			fault_complain(fault, session, "the ledger does not balance: %s",
				       cJSON_Print(cJSON_GetObjectItemCaseSensitive(process, "ledger")));
	cJSON_Delete(index);
}

void fault_check_files(struct fault *fault, const struct session *session)
{
	const char *command = format("%s report '%s' >/dev/null 2>&1", heaptap_path(), session->output);
	int status;

	any = temporary = false;
	unexpected[0] = '\0';
	nftw(session->output, look_at, 16, FTW_PHYS);
	if (unexpected[0])
		fault_complain(fault, session, "it left '%s'", unexpected);
	if (temporary && !fault->killed)
		fault_complain(fault, session, "it left a file that is not whole");
	if (!any)
		return;
	status = system(command);
	if (status)
		fault_complain(fault, session, "'%s' ended with status %d", command, child_exit_status(status));
	if (!access(format("%s/index.json", session->output), F_OK))
		check_ledgers(fault, session);
}

/* --- the target --- */

void fault_target_start(struct scene *scene)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	target_take_steps(&scene->target, "k");
}

/* The kernel drops the links with their descriptors, a moment after the last process that has them is gone. */
void fault_check_target(struct fault *fault, struct scene *scene)
{
	uint64_t until_ns = deadline_ns();
	int status;

	orphans_await(&scene->target);
	while (code_changes(scene->target.pid, "libc.so.6") && now_ns() < until_ns)
		;
	if (code_changes(scene->target.pid, "libc.so.6"))
		fault_complain(fault, &scene->session, "breakpoints remain in the target");
	target_take_steps(&scene->target, "fckc");
	close(scene->target.in);
	scene->target.in = -1;
	status = target_finish(&scene->target);
	if (status)
		fault_complain(fault, &scene->session, "the target ended with status %d", status);
}
