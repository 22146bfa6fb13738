/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/option_table.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/config.h"
#include "include/event.h"
#include "base/parse_number.h"
#include "base/string_list.h"
#include "format/output_file.h"
#include "probe/custom_allocator.h"

#define COMM_MAX 15

/* --- options with a function of their own --- */

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
	err = selection_add_pid(&parse->options->record.target, (pid_t)pid);
	if (err == -E2BIG)
		return option_refuse(parse, "'%s' in '-p' is one process too many (at most %d)", text, PIDS_MAX);
	return err ? option_no_memory(parse) : 0;
}

static int add_pids(struct option_parser *parse, const char *text)
{
	return option_list(parse, text, add_pid);
}

static int add_pool(struct option_parser *parse, const char *text)
{
	struct custom_allocator *pool;
	int err = custom_allocator_parse(text, &pool);

	if (err == -ENOMEM)
		return option_no_memory(parse);
	if (err == -E2BIG)
		return option_refuse(parse, "'--alloc %s' names more than %d functions", text, CUSTOM_FUNCTIONS_MAX);
	if (err)
		return option_refuse(parse, "'--alloc %s' is neither FILE:get(size=1)=ret,put(ptr=1) nor FILE", text);
	pool->next = parse->options->record.target.pools;
	parse->options->record.target.pools = pool;
	return 0;
}

static int check_comm(struct option_parser *parse, const char *text)
{
	if (*text && strlen(text) <= COMM_MAX)
		return 0;
	return option_refuse(parse, "'--comm %s' is no name of a process: the kernel keeps 1 to %d characters", text,
			     COMM_MAX);
}

/* Its own user must be able to read and write them, and nobody needs to execute them. */
static int take_mode(struct option_parser *parse, const char *text)
{
	size_t digits = strspn(text, "01234567");
	unsigned long mode = strtoul(text, NULL, 8);

	if (!digits || text[digits] || digits > 4 || mode & ~0666UL || (mode & 0600) != 0600)
		return option_refuse(
			parse, "'--mode %s' is no mode of files: octal digits from 600 to 666, read and write only",
			text);
	parse->options->record.mode = (u32)mode;
	return 0;
}

static int check_fail_on(struct option_parser *parse, const char *text)
{
	return strcmp(text, "growing") ? option_refuse(parse, "'--fail-on %s' is nothing to fail on (growing)", text)
				       : 0;
}

/* What was given before is forgotten, as with any other option. */
static int take_site_skip(struct option_parser *parse, const char *text)
{
	regex_t *regex = calloc(1, sizeof(*regex));
	char reason[128];
	int err;

	if (!regex)
		return option_no_memory(parse);
	err = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, regex, reason, sizeof(reason));
		free(regex);
		return option_refuse(parse, "'--site-skip %s' is no extended regular expression: %s", text, reason);
	}
	if (parse->options->site_skip)
		regfree(parse->options->site_skip);
	free(parse->options->site_skip);
	parse->options->site_skip = regex;
	return 0;
}

/* --- the subcommands --- */

#define TARGETS "-p PID|NAME[,...]\n-- COMMAND [ARG...]\n--container NAME|ID\n--cgroup PATH\n--all"

static const struct {
	const char *name, *args, *doc; /* the name with a blank before it */
} subcommands[] = {
	[SUBCOMMAND_NONE] = {"", "VERB [ARG...]",
			     "Profile the heap of running processes from outside, the way Go's heap profiler does."
			     "\v"
			     "Verbs:\n"
			     "  record   trace processes, then write one profile each and print a summary\n"
			     "  report   render what record wrote\n"
			     "  doctor   say what this kernel, these privileges and a target allow\n"
			     "'heaptap VERB --help' lists the options of a verb; heaptap(8) has everything."},
	[SUBCOMMAND_RECORD] =
		{" record", TARGETS,
		 "Trace processes, then write one profile each to DIR and print a summary."
		 "\v"
		 "With COMMAND, the exit status is COMMAND's. Otherwise: 0 done, 1 failed, 2 usage, 3 kernel or privileges, "
		 "4 no such target, 5 --fail-on found something (also instead of COMMAND's 0). SIGINT, SIGTERM and SIGHUP stop tracing and "
		 "write the profiles. SIGUSR1 writes a profile of every process now."},
	[SUBCOMMAND_REPORT] = {" report", "FILE|DIR\n--base OLD FILE|DIR",
			       "Render a saved .pb.gz profile, or every one in DIR."},
	[SUBCOMMAND_DOCTOR] = {" doctor", "\n" TARGETS,
			       "Say what this kernel, these privileges and this target allow, and what it will cost."},
};

enum subcommand option_table_subcommand(const char *word)
{
	for (enum subcommand verb = SUBCOMMAND_RECORD; verb <= SUBCOMMAND_DOCTOR; verb++)
		if (!strcmp(word, subcommands[verb].name + 1))
			return verb;
	return SUBCOMMAND_NONE;
}

const char *option_table_name(enum subcommand verb)
{
	return subcommands[verb].name;
}

/* --- --help and --version --- */

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

static int print_help(struct option_parser *parse, const char *text)
{
	enum subcommand verb = parse->options->verb;
	struct argp_option rows[OPTIONS_MAX + 1] = {};
	const struct argp argp = {rows, NULL, subcommands[verb].args, subcommands[verb].doc, .help_filter = add_limits};
	unsigned int count = 0;
	char name[32];

	(void)text;
	for (unsigned int i = 0; i < option_table_count; i++) {
		const struct option_row *option = &option_table[i];
		int key = option->letter ? option->letter : 0x100 + (int)i;
		int group = option->subcommands & 1 << SUBCOMMAND_NONE ? -1 : 0; /* last */

		if (option->subcommands & 1u << verb)
			rows[count++] =
				(struct argp_option){option->name, key, option->argument, 0, option->help, group};
	}
	snprintf(name, sizeof(name), "heaptap%s", parse->name);
	argp_help(&argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
	return option_stop(parse, fflush(stdout) ? STATUS_FAILED : STATUS_DONE);
}

static int print_version(struct option_parser *parse, const char *text)
{
	(void)text;
	puts("heaptap " HEAPTAP_VERSION);
	return option_stop(parse, fflush(stdout) ? STATUS_FAILED : STATUS_DONE);
}

/* --- the options --- */

#define RECORD (1 << SUBCOMMAND_RECORD)
#define REPORT (1 << SUBCOMMAND_REPORT)
#define DOCTOR (1 << SUBCOMMAND_DOCTOR)
#define ALL    (1 << SUBCOMMAND_NONE | RECORD | REPORT | DOCTOR)

/* A field of another size than its kind's divides by 0, which does not compile. */
enum {
	FLAG_SIZE = sizeof(bool),
	VALUE_SIZE = sizeof(int),
	NUMBER_SIZE = sizeof(u32),
	BYTES_SIZE = sizeof(u64),
	SECONDS_SIZE = sizeof(double),
	WORD_SIZE = sizeof(const char *),
	CHOICE_SIZE = sizeof(u32),
	CHOICES_SIZE = sizeof(u32),
	CALL_SIZE = sizeof(u32),
};
#define FIELD(kind_, member)                                                                                           \
	.kind = OPTION_##kind_,                                                                                        \
	.field = offsetof(struct options, member) + 0 / (sizeof(((struct options *)0)->member) == kind_##_SIZE)

static const char populations[] = "'--follow', '--all', '--cgroup' and '--container'";
static const char copies[] = "'--inline', '--plain-copies' and '--shared-mounts'";
static const char views[] = "'--lifetimes', '--older-than' and '--base'";
/* In the order of enum format and of enum report_format. */
static const char *const output_formats[] = {"pprof", "text", "folded", "json", NULL};
static const char *const report_formats[] = {"table", "text", "folded", NULL};

/* --help sorts them; errors name the first one. */
const struct option_row option_table[] = {
	{"pid", 'p', RECORD | DOCTOR, .check = add_pids, .argument = "PID|NAME[,...]",
	 .help = "Running processes, by number or name; may be given again"},
	{"all", 'a', RECORD | DOCTOR, FIELD(VALUE, record.target.population), .value = POPULATION_ALL,
	 .excludes = populations, .help = "Every process of this machine"},
	{"cgroup", 0, RECORD | DOCTOR, FIELD(WORD, record.target.cgroup), .noun = "cgroup", .excludes = populations,
	 .argument = "PATH", .help = "The processes of a cgroup and of those below it"},
	{"container", 0, RECORD | DOCTOR, FIELD(WORD, record.target.container), .noun = "container",
	 .excludes = populations, .argument = "NAME|ID",
	 .help = "The processes of a container (podman, docker, containerd, Kubernetes)"},
	{"follow", 0, RECORD | DOCTOR, FIELD(VALUE, record.target.population), .value = POPULATION_FOLLOW,
	 .excludes = populations, .need = NEED_NAMED, .help = "With -p or COMMAND: their children too"},
	{"inline", 0, RECORD | DOCTOR, FIELD(FLAG, record.target.inlined), .excludes = copies, .need = NEED_CHOSEN,
	 .help = "Sample inside the processes: COMMAND's on copies of its files, those that run by code put into them; only samples trap"},
	{"plain-copies", 0, RECORD | DOCTOR, FIELD(FLAG, record.target.plain_copies), .excludes = copies,
	 .need = NEED_FOLLOWED_COMMAND,
	 .help = "With --follow: probe the copies of COMMAND's allocator's files, and sample nothing inside its processes"},
	{"shared-mounts", 0, RECORD | DOCTOR, FIELD(FLAG, record.target.shared_mounts), .excludes = copies,
	 .need = NEED_FOLLOWED_COMMAND,
	 .help = "With --follow: COMMAND gets no mount namespace of its own; all that use its allocator's files pay"},
	{"wait-children", 0, RECORD, FIELD(FLAG, record.wait_children), .need = NEED_FOLLOWED_COMMAND,
	 .help = "With --follow: when COMMAND has ended, go on until all that it started has ended, too"},
	{"harm-translators", 0, RECORD | DOCTOR, FIELD(FLAG, record.target.harm_translators),
	 .help = "Probe also what ends programs that run under valgrind, qemu-user or the like"},
	{"comm", 0, RECORD | DOCTOR, FIELD(WORD, record.target.comm), .need = NEED_SEVERAL, .check = check_comm,
	 .argument = "NAME", .help = "Only those of the processes that have this name"},
	{"exe", 0, RECORD | DOCTOR, FIELD(WORD, record.target.exe), .noun = "file", .need = NEED_SEVERAL,
	 .argument = "PATH", .help = "Only those of the processes that run this file"},
	{"keep", 0, RECORD, FIELD(NUMBER, record.keep), .initial = 1000, .most = UINT_MAX, .noun = "processes",
	 .need = NEED_MERGED, .argument = "N",
	 .help = "Ended processes that get files of their own; the others are merged by executable (default 1000)"},
	{"duration", 'd', RECORD, FIELD(SECONDS, record.duration_s), .argument = "TIME",
	 .help = "Stop after TIME: seconds, or 90s, 5m, 1h30m (default: when the target ends, or at Ctrl-C)"},
	{"sample-bytes", 'R', RECORD, FIELD(BYTES, record.sample_bytes), .initial = 512 << 10, .most = UINT_MAX,
	 .argument = "N",
	 .help = "Mean bytes between samples, as 65536, 64K or 0.5M (default 512K; 1: every allocation)"},
	{"output", 'o', RECORD, FIELD(WORD, record.output), .noun = "directory", .argument = "DIR",
	 .help = "Directory to create for the files (default heaptap-<UTC time>)"},
	{"force", 0, RECORD, FIELD(FLAG, record.force), .help = "Write into DIR although it is not empty"},
	{"mode", 0, RECORD, FIELD(CALL, record.mode), .initial = OUTPUT_FILE_MODE, .check = take_mode,
	 .argument = "MODE", .help = "Permissions of the files, octal; who may read them may enter DIR (default 600)"},
	{"format", 'f', RECORD, FIELD(CHOICES, record.formats), .initial = FORMAT_PPROF, .words = output_formats,
	 .noun = "format", .argument = "LIST", .help = "pprof, text, folded, json or all, with commas (default pprof)"},
	{"interval", 0, RECORD, FIELD(SECONDS, record.interval_s), .argument = "TIME",
	 .help = "Also write a profile of every process each time that TIME has passed"},
	{"gogc", 0, RECORD, FIELD(NUMBER, record.gc.gogc_percent), .initial = 100, .most = 1000000, .off = true,
	 .noun = "percentage", .need = NEED_FREES, .argument = "N|off",
	 .help = "Pace the model collector as GOGC=N would (default 100)"},
	{"tenure", 0, RECORD, FIELD(NUMBER, record.gc.tenure), .initial = GC_TENURE_DEFAULT, .most = GC_TENURE_MAX,
	 .noun = "cycles", .need = NEED_FREES, .argument = "N",
	 .help = "Cycles an object survives before it is old (default 2)"},
	{"fail-on", 0, RECORD, FIELD(FLAG, record.fail_on_growing), .need = NEED_FREES, .check = check_fail_on,
	 .argument = "growing", .help = "Exit with status 5 when a site is a leak suspect"},
	{"alloc", 0, RECORD | DOCTOR, .check = add_pool, .argument = "FILE:FUNCTIONS",
	 .help = "Also probe an allocator of the program's own: FILE:get(size=1)=ret,put(ptr=1); may be given again"},
	{"alloc-only", 0, RECORD, FIELD(FLAG, record.alloc_only),
	 .help = "Do not probe free: half the cost, in-use unknown"},
	{"no-new", 0, RECORD, FIELD(FLAG, record.no_new),
	 .help = "Do not probe an allocator's own operator new, which may throw"},
	{"show-allocator", 0, RECORD, FIELD(FLAG, record.show_allocator),
	 .help = "Keep the allocator's own frames (default: hide them)"},
	{"site-skip", 0, RECORD | REPORT, .check = take_site_skip, .argument = "REGEX",
	 .help = "Functions that sites pass over, as they do over wrappers of malloc: a site is the first line above"},
	{"clean", 0, DOCTOR, FIELD(FLAG, clean),
	 .help = "Take out breakpoints that stayed in the target (default: in any process) when heaptap was killed"},
	{"format", 'f', REPORT, FIELD(CHOICE, report.format), .words = report_formats, .noun = "format",
	 .argument = "FORMAT", .help = "table, text or folded (default table)"},
	{"top", 'n', REPORT, FIELD(NUMBER, report.top), .initial = 20, .most = UINT_MAX, .noun = "sites",
	 .argument = "N", .help = "Sites in the table (default 20)"},
	{"sample-index", 'i', REPORT, FIELD(CHOICE, report.measure), .initial = INUSE_SPACE,
	 .words = profile_measure_names, .noun = "measure", .argument = "MEASURE",
	 .help = "What folded counts and what the table is sorted by: alloc_objects, alloc_space, inuse_objects or "
		 "inuse_space (default inuse_space)"},
	{"lifetimes", 0, REPORT, FIELD(FLAG, report.lifetimes), .excludes = views, .need = NEED_TABLE,
	 .help = "How long the objects of each site live, and which sites grow"},
	{"older-than", 0, REPORT, FIELD(SECONDS, report.older_s), .excludes = views, .argument = "TIME",
	 .help = "Count as in use only objects that are known to have lived for longer than TIME"},
	{"base", 0, REPORT, FIELD(WORD, report.base), .noun = "FILE", .excludes = views, .need = NEED_TABLE,
	 .argument = "OLD",
	 .help = "What happened between the profiles OLD and FILE, or between those of two directories"},
	{"verbose", 'v', RECORD | REPORT | DOCTOR, FIELD(VALUE, verbosity), .value = 1, .help = "Say more"},
	{"quiet", 'q', RECORD | REPORT | DOCTOR, FIELD(VALUE, verbosity), .value = -1,
	 .help = "Say nothing but errors"},
	{"version", 'V', ALL, .check = print_version, .help = "Print the version"},
	{"help", 'h', ALL, .check = print_help, .help = "Print this text"},
};

const unsigned int option_table_count = sizeof(option_table) / sizeof(*option_table);
_Static_assert(sizeof(option_table) / sizeof(*option_table) <= OPTIONS_MAX, "a word has a bit for each option");

const struct option_row *option_table_find_letter(enum subcommand verb, char letter)
{
	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (option->subcommands & 1u << verb && option->letter == letter)
			return option;
	return NULL;
}

const struct option_row *option_table_find(enum subcommand verb, const char *name, size_t length)
{
	for (const struct option_row *option = option_table; option < option_table + option_table_count; option++)
		if (option->subcommands & 1u << verb && option->name && strlen(option->name) == length &&
		    !strncmp(option->name, name, length))
			return option;
	return NULL;
}
