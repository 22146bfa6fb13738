/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/subcommand.h"

#include <string.h>

#include "serve/listener.h"

#define TARGETS "-p PID|NAME[,...]\n-- COMMAND [ARG...]\n--container NAME|ID\n--cgroup PATH\n--all"

#define TO "--to URL "
#define STATUS_OF_COMMAND                                                                                                \
	"With COMMAND, the exit status is COMMAND's, or 125: heaptap failed, 126: COMMAND cannot be run, 127: there is " \
	"none."

static const struct subcommand_text subcommands[] = {
	[SUBCOMMAND_NONE] =
		{"", "VERB [ARG...]",
		 "Profile the heap of running processes from outside, the way Go's heap profiler does."
		 "\v"
		 "Verbs:\n"
		 "  record   trace processes, then write one profile each and print a summary\n"
		 "  report   render what record wrote\n"
		 "  doctor   say what this kernel, these privileges and a target allow\n"
		 "  top      look at processes while they are traced, or at what record wrote\n"
		 "  serve    answer go tool pprof, Prometheus and browsers while processes are traced\n"
		 "  push     send profiles to Pyroscope, Parca or an OpenTelemetry collector, again and again\n"
		 "'heaptap VERB --help' lists the options of a verb; heaptap(8) has everything."},
	[SUBCOMMAND_RECORD] =
		{" record", TARGETS,
		 "Trace processes, then write one profile each to DIR and print a summary."
		 "\v" STATUS_OF_COMMAND " Otherwise: 0 done, 1 failed, 2 usage, 3 kernel or privileges, "
		 "4 no such target, 5 --fail-on found something (also instead of COMMAND's 0). SIGINT, SIGTERM and SIGHUP stop tracing and "
		 "write the profiles. SIGUSR1 writes a profile of every process now."},
	[SUBCOMMAND_REPORT] = {" report", "FILE|DIR\n--base OLD FILE|DIR",
			       "Render a saved .pb.gz profile, or every one in DIR."},
	[SUBCOMMAND_DOCTOR] = {" doctor", "\n" TARGETS,
			       "Say what this kernel, these privileges and this target allow, and what it will cost."},
	[SUBCOMMAND_TOP] =
		{" top", "\n" TARGETS "\nFILE|DIR",
		 "Show processes, their call sites and stacks, again and again: of TARGET while it is traced (default: the "
		 "whole machine), or of what record wrote to FILE or DIR."
		 "\v"
		 "The key h shows what the other keys do. COMMAND reads nothing and what it prints is not shown. " STATUS_OF_COMMAND
		 " Otherwise: 0 done, 1 failed, 2 usage, 3 kernel or privileges, 4 no such "
		 "target."},
	[SUBCOMMAND_SERVE] =
		{" serve", TARGETS "\nFILE|DIR",
		 "Answer over HTTP: with profiles as a Go program does, metrics, and pages; of TARGET while it is traced, or of what "
		 "record wrote to FILE or DIR."
		 "\v"
		 "http://" LISTENER_DEFAULT
		 "/ has the links. When the target has ended, its last state is served until Ctrl-C. " STATUS_OF_COMMAND
		 " Otherwise: 0 done, 1 failed, 2 usage, 3 kernel or privileges, 4 no such "
		 "target."},
	[SUBCOMMAND_PUSH] =
		{" push",
		 TO "-p PID|NAME[,...]\n" TO "-- COMMAND [ARG...]\n" TO "--container NAME|ID\n" TO "--cgroup PATH\n" TO
		    "--all\n" TO "FILE|DIR",
		 "Send profiles to a store every 15 seconds: of each process, or of those with equal labels, what is in use and what was "
		 "allocated meanwhile; of TARGET while it is traced, or once of what record wrote to FILE or DIR."
		 "\v"
		 "Credentials come from files alone. What the store does not take now is kept, within bounds, and sent later; what is lost is "
		 "counted and said. " STATUS_OF_COMMAND " Otherwise: 0 done, 1 failed or something was lost, "
		 "2 usage, 3 kernel or privileges, 4 no such target."},
};

enum subcommand subcommand_find(const char *word)
{
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_LAST; verb++)
		if (!strcmp(word, subcommands[verb].name + 1))
			return verb;
	return SUBCOMMAND_NONE;
}

const struct subcommand_text *subcommand_text(enum subcommand verb)
{
	return &subcommands[verb];
}
