/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/option_check.h"

#include "cli/option_table.h"
#include "format/output_file.h"

bool option_is_given(const struct option_parser *parse, const struct option_row *option)
{
	return parse->given >> (option - option_table) & 1;
}

bool option_names_processes(const struct option_parser *parse)
{
	return parse->options->record.tracing.target.pid_count || parse->options->process_names;
}

const char **option_recording(struct options *options)
{
	switch (options->verb) {
	case SUBCOMMAND_TOP:
		return &options->top.path;
	case SUBCOMMAND_SERVE:
		return &options->serve.path;
	case SUBCOMMAND_PUSH:
		return &options->push.path;
	default:
		return NULL;
	}
}

static int check_report(struct option_parser *parse)
{
	const struct report_options *report = &parse->options->report;

	if (report->path)
		return 0;
	if (report->base)
		return option_refuse(parse, "no FILE to compare with '--base %s'", report->base);
	return option_refuse(parse, "no FILE or DIR to report on");
}

/* Is it about tracing? record has all such options; those of the store, which push has too, are not top's. */
static bool is_of_tracing(const struct option_row *option)
{
	const unsigned int record = 1u << SUBCOMMAND_RECORD, push = 1u << SUBCOMMAND_PUSH, top = 1u << SUBCOMMAND_TOP;

	return option->subcommands & record && (!(option->subcommands & push) || option->subcommands & top) &&
	       option->field != offsetof(struct options, verbosity) &&
	       option->field != offsetof(struct options, push.to);
}

/* What has been recorded is not traced any more. */
static int check_recording(struct option_parser *parse, const char *path)
{
	const struct options *options = parse->options;

	if (options->record.tracing.target.command)
		return option_refuse(parse, "'%s' and COMMAND '%s' are two targets: name one", path,
				     options->record.tracing.target.command[0]);
	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (option_is_given(parse, option) && is_of_tracing(option))
			return option_refuse(parse, "'%s' is about tracing, and '%s' has been recorded",
					     option_spelled(option), path);
	if (options->verb == SUBCOMMAND_SERVE && options->push.to)
		return option_refuse(
			parse, "'--push' sends what is traced, and '%s' has been recorded: push it with 'heaptap push'",
			path);
	return 0;
}

static bool needs_target(enum subcommand verb)
{
	return verb == SUBCOMMAND_RECORD || verb == SUBCOMMAND_SERVE || verb == SUBCOMMAND_PUSH;
}

static int check_target(struct option_parser *parse, bool quoted)
{
	struct selection_options *target = &parse->options->record.tracing.target;
	const char *population = target->container ? "--container" : target->cgroup ? "--cgroup" : "--all";
	bool named = target->command || option_names_processes(parse);
	const char **path = option_recording(parse->options);
	bool recorded = path && *path;
	int err = recorded ? check_recording(parse, *path) : 0;

	if (err)
		return err;
	if (target->cgroup || target->container)
		target->population = POPULATION_CGROUP;
	if (target->command && option_names_processes(parse))
		return option_refuse(parse, "'-p' and COMMAND '%s' are two targets: name one", target->command[0]);
	if (quoted && !target->command)
		return option_refuse(parse, "no COMMAND behind '--'");
	if (target->population == POPULATION_LISTED || target->population == POPULATION_FOLLOW) {
		if (!named && !recorded && needs_target(parse->options->verb))
			return option_refuse(
				parse,
				"no target: name one with '-p PID', '-p NAME', '--container NAME', '--cgroup PATH', "
				"'--all' or '-- COMMAND'");
		if (!named && parse->options->verb == SUBCOMMAND_TOP && !recorded) {
			target->population = POPULATION_ALL;
			parse->options->top.machine = true;
		}
	} else if (named) {
		return option_refuse(parse, "'%s' and '%s' are two targets: name one", population,
				     target->command ? target->command[0] : "-p");
	}
	return 0;
}

static int check_needs(struct option_parser *parse)
{
	const struct options *options = parse->options;
	const struct selection_options *target = &options->record.tracing.target;
	bool follows = target->population == POPULATION_FOLLOW;
	const struct {
		bool met;
		const char *sentence;
	} needs[] = {
		[NEED_NOTHING] = {true, NULL},
		[NEED_FREES] = {!options->record.tracing.alloc_only,
				"'%s' needs to know what is freed, which '--alloc-only' leaves out"},
		[NEED_SEVERAL] =
			{target->population != POPULATION_LISTED,
			 "'%s' chooses among several processes: it goes with '--follow', '--all', '--cgroup' or '--container'"},
		[NEED_MERGED] =
			{target->population != POPULATION_LISTED,
			 "'%s' goes with '--follow', '--all', '--cgroup' or '--container': only they merge ended processes"},
		[NEED_NAMED] = {target->command || option_names_processes(parse),
				"'%s' goes with '-p PID' or '-- COMMAND'"},
		[NEED_CHOSEN] = {target->population != POPULATION_ALL,
				 "'%s' goes with '-- COMMAND', '-p', '--cgroup' or '--container'"},
		[NEED_FOLLOWED_COMMAND] = {target->command && follows, "'%s' goes with '--follow -- COMMAND'"},
		[NEED_BATCH] = {options->top.batch, "'%s' goes with '--batch'"},
		[NEED_PAGE] =
			{options->report.format == REPORT_TABLE && !options->report.lifetimes &&
				 options->report.older_s <= 0,
			 "'%s' writes a page with all figures: it goes with no '-f', '--lifetimes' or '--older-than'"},
		[NEED_PPROF] = {options->verb != SUBCOMMAND_RECORD || options->record.formats & FORMAT_PPROF,
				"'%s' makes the page of the .pb.gz files, which '-f' leaves out"},
		[NEED_SPOOL] = {options->push.spool, "'%s' goes with '--spool DIR'"},
		[NEED_STORE] = {options->push.to, "'%s' goes with '--push URL'"},
		[NEED_TABLE] = {options->report.format == REPORT_TABLE, "'%s' is a table: it goes with no other '-f'"},
	};

	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (option_is_given(parse, option) && !needs[option->need].met)
			return option_refuse(parse, needs[option->need].sentence, option_spelled(option));
	return 0;
}

int option_check(struct option_parser *parse, bool quoted)
{
	int err;

	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++) {
		void *field = (char *)parse->options + option->field;

		if (option_is_given(parse, option) || !option->initial)
			continue;
		if (option->kind == OPTION_BYTES)
			*(u64 *)field = option->initial;
		else
			*(u32 *)field = (u32)option->initial;
	}
	if (parse->options->verb == SUBCOMMAND_PUSH && !parse->options->push.to)
		return option_refuse(parse, "no store to push to: name one with '--to pyroscope+https://HOST:PORT'");
	err = parse->options->verb == SUBCOMMAND_REPORT ? check_report(parse) : check_target(parse, quoted);
	return err ? err : check_needs(parse);
}
