/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/process_argument.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse_number.h"
#include "base/string_list.h"
#include "base/units.h"
#include "probe/nearest.h"
#include "system/process_name.h"
#include "system/procfs.h"
#include "system/shortage.h"

#define LISTED_MAX 10
#define TYPED_MAX  8 /* numbers that the sentence joins, ready to be typed */

/* --- the command line --- */

/* A name: it is looked for when the whole command line is known to be right. */
static int add_process_name(struct option_parser *parse, const char *text)
{
	char **name = calloc(2, sizeof(*name));

	if (name)
		name[0] = strdup(text);
	if (name && name[0] && !string_list_append(&parse->options->process_names, name))
		return 0;
	return option_no_memory(parse);
}

static int add_pid(struct option_parser *parse, const char *text)
{
	static const char numbers[] = "0123456789 \t\n";
	u64 pid;
	int err;

	if (!*text || *text == '-')
		return option_refuse(parse, "'%s' in '-p' is no process: perhaps pidof or pgrep found none", text);
	if (text[strcspn(text, " \t\n")] && !text[strspn(text, numbers)])
		return option_refuse(parse, "'%s' in '-p' is no process number: several are joined by commas", text);
	if (parse_number(text, INT_MAX, &pid)) {
		if (text[strspn(text, "0123456789")])
			return add_process_name(parse, text);
		return option_refuse(parse, "'%s' in '-p' is not a process number", text);
	}
	if ((pid_t)pid == getpid())
		return option_refuse(parse, "'%s' in '-p' is heaptap itself", text);
	err = selection_add_pid(&parse->options->record.tracing.target, (pid_t)pid);
	if (err == -E2BIG)
		return option_refuse(parse, "'%s' in '-p' is one process too many (at most %d)", text, PIDS_MAX);
	return err ? option_no_memory(parse) : 0;
}

int process_argument_add(struct option_parser *parse, const char *text)
{
	return option_list(parse, text, add_pid);
}

/* --- names --- */

/* A name that is like it, of the processes that run. */
static int refuse_unknown(const char *name)
{
	struct nearest nearest = {.wanted = name};
	char comm[16], text[NEAREST_MAX * NEAREST_NAME_BYTES + 32];
	struct pid_list all;

	if (!pid_list_all(&all)) {
		for (unsigned int i = 0; i < all.count; i++)
			if (!procfs_comm(all.pids[i], comm) && !procfs_is_kernel_thread(all.pids[i]))
				nearest_add(&nearest, comm);
		pid_list_release(&all);
	}
	log_error("no process that runs is named '%s'%s; 'pgrep -af WORD' finds one by its command line", name,
		  nearest_text(&nearest, text, sizeof(text)));
	return STATUS_NO_TARGET;
}

static void list_candidates(const struct pid_list *list)
{
	for (unsigned int i = 0; i < list->count && i < LISTED_MAX; i++) {
		pid_t pid = list->pids[i];
		char *line = procfs_command_line(pid);

		log_error("  %7d  %10s  %.120s", pid, units_bytes((double)procfs_rss_bytes(pid)).text,
			  line ? line : "");
		free(line);
	}
}

static int refuse_several(const char *name, const struct pid_list *list)
{
	char all[TYPED_MAX * 12 + 16] = "";
	size_t length = 0;

	for (unsigned int i = 0; i < list->count && list->count <= TYPED_MAX; i++)
		length += (size_t)snprintf(all + length, sizeof(all) - length, "%s%d", i ? "," : ", or all: -p ",
					   list->pids[i]);
	log_error("%u processes are named '%s'%s; name one by its number%s", list->count, name,
		  list->count > LISTED_MAX ? ", the largest of which follow" : "", all);
	list_candidates(list);
	return STATUS_NO_TARGET;
}

static int resolve(const char *name, struct selection_options *target)
{
	struct pid_list list;
	int err = process_name_find(name, &list), status = STATUS_DONE;

	if (!err && list.count == 1)
		err = selection_add_pid(target, list.pids[0]);
	if (err == -E2BIG) {
		log_error("'%s' in '-p' is one process too many (at most %d)", name, PIDS_MAX);
		status = STATUS_USAGE;
	} else if (err) {
		log_error("cannot look for a process named '%s': %s", name, shortage_explain(err).text);
		status = STATUS_FAILED;
	} else if (list.count == 1) {
		log_note("'%s' is pid %d", name, list.pids[0]);
	} else {
		status = list.count ? refuse_several(name, &list) : refuse_unknown(name);
	}
	pid_list_release(&list);
	return status;
}

int process_argument_resolve(struct options *options)
{
	int status = STATUS_DONE;

	for (char **name = options->process_names; name && *name && !status; name++)
		status = resolve(*name, &options->record.tracing.target);
	return status;
}
