/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes, commands, cgroups, containers, and which of their processes. Called by cli. */
#include "cli/options_target.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse_number.h"
#include "cli/subcommand.h"

#define COMM_MAX 15

static error_t add_pid(struct option_parser *parse, const char *text)
{
	struct options *options = parse->options;
	unsigned int i;
	u64 pid;

	if (parse_number(text, INT_MAX, &pid))
		return option_refuse(parse, "'%s' in '-p' is not a process number", text);
	if ((pid_t)pid == getpid())
		return option_refuse(parse, "'%s' in '-p' is heaptap itself", text);
	if (!options->record.target.pids)
		options->record.target.pids = calloc(PIDS_MAX, sizeof(*options->record.target.pids));
	if (!options->record.target.pids)
		return option_no_memory(parse);
	for (i = 0; i < options->record.target.pid_count; i++)
		if (options->record.target.pids[i] == (pid_t)pid)
			return 0;
	if (options->record.target.pid_count == PIDS_MAX)
		return option_refuse(parse, "'%s' in '-p' is one process too many (at most %d)", text, PIDS_MAX);
	options->record.target.pids[options->record.target.pid_count++] = (pid_t)pid;
	return 0;
}

/* What is traced is chosen once. */
static error_t choose_population(struct option_parser *parse, enum population population)
{
	struct options *options = parse->options;

	if ((options->record.target.population != POPULATION_LISTED &&
	     options->record.target.population != population) ||
	    (options->record.target.cgroup && options->record.target.container))
		return option_refuse(parse, "'--follow', '--all', '--cgroup' and '--container' exclude each other");
	options->record.target.population = population;
	return 0;
}

static error_t parse_comm(struct option_parser *parse, const char *text)
{
	if (!*text || strlen(text) > COMM_MAX)
		return option_refuse(parse, "'--comm %s' is no name of a process: the kernel keeps 1 to %d characters",
				     text, COMM_MAX);
	parse->options->record.target.comm = text;
	return 0;
}

static error_t parse_keep(struct option_parser *parse, const char *text)
{
	u64 keep;

	if (parse_number(text, UINT_MAX, &keep))
		return option_refuse(parse, "'--keep %s' is not a number of processes from 1 to %u", text, UINT_MAX);
	parse->options->record.keep = (u32)keep;
	return 0;
}

error_t options_target_option(struct option_parser *parse, int key, char *arg)
{
	struct options *options = parse->options;

	switch (key) {
	case 'p':
		return option_list(parse, arg, add_pid);
	case KEY_FOLLOW:
		return choose_population(parse, POPULATION_FOLLOW);
	case 'a':
		return choose_population(parse, POPULATION_ALL);
	case KEY_CGROUP:
		if (!*arg)
			return option_refuse(parse, "'' after '--cgroup' names no cgroup");
		options->record.target.cgroup = arg;
		return choose_population(parse, POPULATION_CGROUP);
	case KEY_CONTAINER:
		if (!*arg)
			return option_refuse(parse, "'' after '--container' names no container");
		options->record.target.container = arg;
		return choose_population(parse, POPULATION_CGROUP);
	case KEY_COMM:
		return parse_comm(parse, arg);
	case KEY_EXE:
		if (!*arg)
			return option_refuse(parse, "'' after '--exe' names no file");
		options->record.target.exe = arg;
		return 0;
	case KEY_KEEP:
		return parse_keep(parse, arg);
	case KEY_SHARED_MOUNTS:
		options->record.target.shared_mounts = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

error_t options_target_check(struct option_parser *parse)
{
	const struct options *options = parse->options;
	bool others = options->record.target.population == POPULATION_ALL ||
		      options->record.target.population == POPULATION_CGROUP;
	bool named = options->record.target.command || options->record.target.pid_count;
	const char *what = options->record.target.container ? "--container"
			   : options->record.target.cgroup  ? "--cgroup"
							    : "--all";

	if (others && named)
		return option_refuse(parse, "'%s' and '%s' are two targets: name one", what,
				     options->record.target.command ? options->record.target.command[0] : "-p");
	if (!others && !named && options->verb == SUBCOMMAND_RECORD)
		return option_refuse(
			parse, "no target: name one with '-p PID', '--container NAME', '--cgroup PATH', '--all' or "
			       "'-- COMMAND'");
	if (options->record.target.population == POPULATION_FOLLOW && !named)
		return option_refuse(parse, "'--follow' goes with '-p PID' or '-- COMMAND'");
	if (options->record.target.population == POPULATION_LISTED &&
	    (options->record.target.comm || options->record.target.exe))
		return option_refuse(
			parse,
			"'%s' chooses among several processes: it goes with '--follow', '--all', '--cgroup' or "
			"'--container'",
			options->record.target.comm ? "--comm" : "--exe");
	if (options->record.target.shared_mounts &&
	    !(options->record.target.command && options->record.target.population == POPULATION_FOLLOW))
		return option_refuse(parse, "'--shared-mounts' goes with '--follow -- COMMAND'");
	return 0;
}
