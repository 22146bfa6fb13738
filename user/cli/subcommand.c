/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names, options and help texts of the verbs. Called by cli.
 */
#include "cli/subcommand.h"

#include <stdio.h>
#include <string.h>

#include "include/config.h"
#include "include/event.h"

static const struct argp_option record_options[] = {
	{NULL, 'p', "PID[,PID...]", 0, "Running processes; may be given again", 0},
	{"all", 'a', NULL, 0, "Every process of this machine", 0},
	{"cgroup", KEY_CGROUP, "PATH", 0, "The processes of a cgroup and of those below it", 0},
	{"container", KEY_CONTAINER, "NAME|ID", 0,
	 "The processes of a container (podman, docker, containerd, Kubernetes)", 0},
	{"follow", KEY_FOLLOW, NULL, 0, "With -p or COMMAND: their children too", 0},
	{"shared-mounts", KEY_SHARED_MOUNTS, NULL, 0,
	 "With --follow: no mount namespace of COMMAND's own; all who use its allocator's files pay", 0},
	{"comm", KEY_COMM, "NAME", 0, "Of these, only processes of that name", 0},
	{"exe", KEY_EXE, "PATH", 0, "Of these, only processes that run that file", 0},
	{"keep", KEY_KEEP, "N", 0,
	 "Ended processes with files of their own; others are merged by executable (default 1000)", 0},
	{"duration", 'd', "SEC", 0, "Stop after SEC seconds (default: when the target ends, or at Ctrl-C)", 0},
	{"sample-bytes", 'R', "N", 0, "Mean bytes between samples; K, M, G (default 512K; 1: every allocation)", 0},
	{"output", 'o', "DIR", 0, "Directory to create for the files (default heaptap-<UTC time>)", 0},
	{"force", KEY_FORCE, NULL, 0, "Write into DIR although it is not empty", 0},
	{"format", 'f', "LIST", 0, "pprof, text, folded, json or all, with commas (default pprof)", 0},
	{"interval", KEY_INTERVAL, "SEC", 0, "Also write a profile of every process every SEC seconds", 0},
	{"gogc", KEY_GOGC, "N|off", 0, "Pace the model collector as GOGC=N would (default 100)", 0},
	{"tenure", KEY_TENURE, "N", 0, "Cycles an object survives before it is old (default 2)", 0},
	{"fail-on", KEY_FAIL_ON, "growing", 0, "Exit with status 5 when a site is a leak suspect", 0},
	{"alloc", KEY_ALLOC, "FILE:FUNCTIONS", 0,
	 "Also probe a pool of the program's own: FILE:get(size=1)=ret,put(ptr=1); may be given again", 0},
	{"alloc-only", KEY_ALLOC_ONLY, NULL, 0, "Do not probe free: half the cost, in-use unknown", 0},
	{"no-new", KEY_NO_NEW, NULL, 0, "Do not probe an allocator's own operator new, which may throw", 0},
	{"show-allocator", KEY_SHOW_ALLOCATOR, NULL, 0, "Keep the allocator's own frames (default: hide them)", 0},
	{NULL, 'v', NULL, 0, "Say more", 0},
	{NULL, 'q', NULL, 0, "Say nothing but errors", 0},
	{"version", KEY_VERSION, NULL, 0, "Print the version", -1},
	{"help", KEY_HELP, NULL, 0, "Print this text", -1},
	{},
};

static const struct argp_option report_options[] = {
	{"format", 'f', "FORMAT", 0, "table, text or folded (default table)", 0},
	{"top", 'n', "N", 0, "Sites in the table (default 20)", 0},
	{"sample-index", 'i', "MEASURE", 0,
	 "What folded counts and the table is sorted by: alloc_objects, alloc_space, inuse_objects or inuse_space "
	 "(default inuse_space)",
	 0},
	{"lifetimes", KEY_LIFETIMES, NULL, 0, "How long the objects of each site live, and which sites grow", 0},
	{"older-than", KEY_OLDER_THAN, "SEC", 0, "In use only what has lived for longer than SEC seconds", 0},
	{"base", KEY_BASE, "OLD", 0, "What happened between the profiles OLD and FILE", 0},
	{NULL, 'v', NULL, 0, "Say more", 0},
	{NULL, 'q', NULL, 0, "Say nothing but errors", 0},
	{"version", KEY_VERSION, NULL, 0, "Print the version", -1},
	{"help", KEY_HELP, NULL, 0, "Print this text", -1},
	{},
};

static const struct argp_option doctor_options[] = {
	{NULL, 'p', "PID[,PID...]", 0, "Running processes; may be given again", 0},
	{"all", 'a', NULL, 0, "Every process of this machine", 0},
	{"cgroup", KEY_CGROUP, "PATH", 0, "The processes of a cgroup and of those below it", 0},
	{"container", KEY_CONTAINER, "NAME|ID", 0,
	 "The processes of a container (podman, docker, containerd, Kubernetes)", 0},
	{"follow", KEY_FOLLOW, NULL, 0, "With -p or COMMAND: their children too", 0},
	{"shared-mounts", KEY_SHARED_MOUNTS, NULL, 0, "As record would do with it", 0},
	{"comm", KEY_COMM, "NAME", 0, "Of these, only processes of that name", 0},
	{"exe", KEY_EXE, "PATH", 0, "Of these, only processes that run that file", 0},
	{"alloc", KEY_ALLOC, "FILE:FUNCTIONS", 0,
	 "Also probe a pool of the program's own: FILE:get(size=1)=ret,put(ptr=1); may be given again", 0},
	{NULL, 'v', NULL, 0, "Say more", 0},
	{NULL, 'q', NULL, 0, "Say nothing but errors", 0},
	{"version", KEY_VERSION, NULL, 0, "Print the version", -1},
	{"help", KEY_HELP, NULL, 0, "Print this text", -1},
	{},
};

static const struct argp_option no_verb_options[] = {
	{"version", KEY_VERSION, NULL, 0, "Print the version", -1},
	{"help", KEY_HELP, NULL, 0, "Print this text", -1},
	{},
};

/* The limits, below everything else. argp frees what it did not pass in. */
static char *add_limits(int key, const char *text, void *input)
{
	char *limits;

	(void)input;
	if (key != ARGP_KEY_HELP_EXTRA)
		return (char *)text;
	if (asprintf(&limits,
		     "Limits: %d processes with -p, %d at once; %d allocator files; stacks of %d frames (a deeper one "
		     "loses its root and is counted); 1 Mi live sampled objects, 4 Mi with -R below 64K (one more is "
		     "counted as allocated, but not followed); 64 Ki distinct stacks before stacks are sent again.",
		     PIDS_MAX, SCOPES_MAX - 1, ALLOCATORS_MAX, STACK_DEPTH_MAX) < 0)
		return NULL;
	return limits;
}

static const struct argp none = {
	.options = no_verb_options,
	.args_doc = "VERB [ARG...]",
	.doc = "Profile the heap of running processes from outside, the way Go's heap profiler does."
	       "\v"
	       "Verbs:\n"
	       "  record   trace processes, then write one profile each and print a summary\n"
	       "  report   render what record wrote\n"
	       "  doctor   say what this kernel, these privileges and a target allow\n"
	       "'heaptap VERB --help' lists the options of a verb; heaptap(8) has everything.",
	.help_filter = add_limits,
};

static const struct argp record = {
	.options = record_options,
	.args_doc = "-p PID[,PID...]\n-- COMMAND [ARG...]\n--container NAME|ID\n--cgroup PATH\n--all",
	.doc = "Trace processes, then write one profile each to DIR and print a summary.\vThe exit status is COMMAND's "
	       "own; without one: 0 done, 1 failed, 2 usage, 3 kernel or privileges, 4 no such target, 5 --fail-on "
	       "found something (COMMAND's 0 becomes 5). SIGINT, SIGTERM and SIGHUP stop tracing and write; a second "
	       "one leaves without writing. SIGUSR1 writes a profile of every process now.",
	.help_filter = add_limits,
};

static const struct argp report = {
	.options = report_options,
	.args_doc = "FILE|DIR\n--base OLD FILE",
	.doc = "Render a saved .pb.gz profile, or every one in DIR.",
	.help_filter = add_limits,
};

static const struct argp doctor = {
	.options = doctor_options,
	.args_doc = "\n-p PID[,PID...]\n-- COMMAND [ARG...]\n--container NAME|ID\n--cgroup PATH\n--all",
	.doc = "Say what this kernel, these privileges and this target allow, and what it will cost.",
	.help_filter = add_limits,
};

static const struct {
	const char *name;
	const struct argp *argp;
} verbs[] = {
	[SUBCOMMAND_NONE] = {NULL, &none},
	[SUBCOMMAND_RECORD] = {"record", &record},
	[SUBCOMMAND_REPORT] = {"report", &report},
	[SUBCOMMAND_DOCTOR] = {"doctor", &doctor},
};

enum subcommand subcommand_find(const char *word)
{
	unsigned int i;

	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (verbs[i].name && !strcmp(word, verbs[i].name))
			return (enum subcommand)i;
	return SUBCOMMAND_NONE;
}

const char *subcommand_name(enum subcommand verb)
{
	return verbs[verb].name;
}

const struct argp *subcommand_argp(enum subcommand verb)
{
	return verbs[verb].argp;
}
