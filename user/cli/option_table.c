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
#include "cli/process_argument.h"
#include "cli/push_command.h"
#include "cli/subcommand.h"
#include "format/output_file.h"
#include "probe/custom_allocator.h"
#include "push/delivery.h"
#include "serve/listener.h"

#define COMM_MAX 15

/* --- options with a function of their own --- */

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
	pool->next = parse->options->record.tracing.target.pools;
	parse->options->record.tracing.target.pools = pool;
	return 0;
}

static int add_trigger(struct option_parser *parse, const char *text)
{
	struct record_options *record = &parse->options->record;

	if (record->trigger_count == TRIGGERS_MAX)
		return option_refuse(parse, "'--trigger %s' is one too many (at most %d)", text, TRIGGERS_MAX);
	if (trigger_parse(text, &record->triggers[record->trigger_count++]))
		return option_refuse(parse, "'--trigger %s' is none of rss=400M, rss=80%%, rss=+100M, cgroup=90%%",
				     text);
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

/* The traps of a process are part of its CPU time: they cannot cost more than all of it. */
static int take_max_overhead(struct option_parser *parse, const char *text)
{
	double *percent = &parse->options->record.tracing.max_overhead_percent;
	size_t digits = strspn(text, "0123456789.");
	char *end = NULL;

	*percent = digits ? strtod(text, &end) : 0;
	if (*percent > 0 && *percent <= 100 && end == text + digits && (!*end || !strcmp(end, "%")))
		return 0;
	return option_refuse(
		parse, "'--max-overhead %s' is no share of the CPU time: a percentage above 0, to 100, as 5 or 0.5",
		text);
}

static int check_fail_on(struct option_parser *parse, const char *text)
{
	return strcmp(text, "growing") ? option_refuse(parse, "'--fail-on %s' is nothing to fail on (growing)", text)
				       : 0;
}

static int check_footprint(struct option_parser *parse, const char *text)
{
	return strcmp(text, "small") ? option_refuse(parse, "'--footprint %s' is no size to choose (small)", text) : 0;
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
		     "loses its middle and is counted); 1 Mi live sampled objects, 4 Mi with -R below 64K (one more is "
		     "counted as allocated, but not followed); 64 Ki distinct stacks before stacks are sent again.",
		     PIDS_MAX, SCOPES_MAX - 1, ALLOCATORS_MAX, STACK_DEPTH_MAX) < 0)
		return NULL;
	return limits;
}

static int print_help(struct option_parser *parse, const char *text)
{
	enum subcommand verb = parse->options->verb;
	struct argp_option rows[OPTIONS_MAX + 1] = {};
	const struct argp argp = {rows, NULL, subcommand_text(verb)->args, subcommand_text(verb)->doc,
				  .help_filter = add_limits};
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
#define TOP    (1 << SUBCOMMAND_TOP)
#define SERVE  (1 << SUBCOMMAND_SERVE)
#define PUSH   (1 << SUBCOMMAND_PUSH)
#define LIVE   (TOP | SERVE | PUSH)
#define STORE  (RECORD | SERVE | PUSH) /* what has to do with a store; with --push where --to is not needed */
#define ALL    (1 << SUBCOMMAND_NONE | RECORD | REPORT | DOCTOR | LIVE)

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
	{"pid", 'p', RECORD | DOCTOR | LIVE, .check = process_argument_add, .argument = "PID|NAME[,...]",
	 .help = "Running processes, by number or name; may be given again"},
	{"all", 'a', RECORD | DOCTOR | LIVE, FIELD(VALUE, record.tracing.target.population), .value = POPULATION_ALL,
	 .excludes = populations, .help = "Every process of this machine"},
	{"cgroup", 0, RECORD | DOCTOR | LIVE, FIELD(WORD, record.tracing.target.cgroup), .noun = "cgroup",
	 .excludes = populations, .argument = "PATH", .help = "The processes of a cgroup and of those below it"},
	{"container", 0, RECORD | DOCTOR | LIVE, FIELD(WORD, record.tracing.target.container), .noun = "container",
	 .excludes = populations, .argument = "NAME|ID",
	 .help = "The processes of a container (podman, docker, containerd, Kubernetes)"},
	{"follow", 0, RECORD | DOCTOR | LIVE, FIELD(VALUE, record.tracing.target.population),
	 .value = POPULATION_FOLLOW, .excludes = populations, .need = NEED_NAMED,
	 .help = "With -p or COMMAND: their children too"},
	{"inline", 0, RECORD | DOCTOR | LIVE, FIELD(FLAG, record.tracing.target.inlined), .excludes = copies,
	 .need = NEED_CHOSEN,
	 .help = "Sample inside the processes: COMMAND's on copies of its files, those that run by code put into them; only samples trap"},
	{"plain-copies", 0, RECORD | DOCTOR | LIVE, FIELD(FLAG, record.tracing.target.plain_copies), .excludes = copies,
	 .need = NEED_FOLLOWED_COMMAND,
	 .help = "With --follow: probe the copies of COMMAND's allocator's files, and sample nothing inside its processes"},
	{"shared-mounts", 0, RECORD | DOCTOR | LIVE, FIELD(FLAG, record.tracing.target.shared_mounts),
	 .excludes = copies, .need = NEED_FOLLOWED_COMMAND,
	 .help = "With --follow: COMMAND gets no mount namespace of its own; all that use its allocator's files pay"},
	{"wait-children", 0, RECORD | LIVE, FIELD(FLAG, record.tracing.wait_children), .need = NEED_FOLLOWED_COMMAND,
	 .help = "With --follow: when COMMAND has ended, go on until all that it started has ended, too"},
	{"harm-translators", 0, RECORD | DOCTOR | LIVE, FIELD(FLAG, record.tracing.target.harm_translators),
	 .help = "Probe also what ends programs that run under valgrind, qemu-user or the like"},
	{"comm", 0, RECORD | DOCTOR | LIVE, FIELD(WORD, record.tracing.target.comm), .need = NEED_SEVERAL,
	 .check = check_comm, .argument = "NAME", .help = "Only those of the processes that have this name"},
	{"exe", 0, RECORD | DOCTOR | LIVE, FIELD(WORD, record.tracing.target.exe), .noun = "file", .need = NEED_SEVERAL,
	 .argument = "PATH", .help = "Only those of the processes that run this file"},
	{"keep", 0, RECORD, FIELD(NUMBER, record.keep), .initial = 1000, .most = UINT_MAX, .noun = "processes",
	 .need = NEED_MERGED, .argument = "N",
	 .help = "Ended processes that get files of their own; the others are merged by executable (default 1000)"},
	{"duration", 'd', RECORD | LIVE, FIELD(SECONDS, record.tracing.duration_s), .argument = "TIME",
	 .help = "Stop after TIME: seconds, or 90s, 5m, 1h30m (default: when the target ends, or at Ctrl-C)"},
	{"sample-bytes", 'R', RECORD | LIVE, FIELD(BYTES, record.tracing.sample_bytes), .initial = 512 << 10,
	 .most = UINT_MAX, .argument = "N",
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
	{"trigger", 0, RECORD, .check = add_trigger, .argument = "EXPR",
	 .help = "Also when memory reaches rss=400M, rss=80% (of its limit), rss=+100M (growth), cgroup=90%; may be given again"},
	{"gogc", 0, RECORD | TOP | SERVE, FIELD(NUMBER, record.tracing.gc.gogc_percent), .initial = 100,
	 .most = 1000000, .off = true, .noun = "percentage", .need = NEED_FREES, .argument = "N|off",
	 .help = "Pace the model collector as GOGC=N would (default 100)"},
	{"tenure", 0, RECORD | TOP | SERVE, FIELD(NUMBER, record.tracing.gc.tenure), .initial = GC_TENURE_DEFAULT,
	 .most = GC_TENURE_MAX, .noun = "cycles", .need = NEED_FREES, .argument = "N",
	 .help = "Cycles an object survives before it is old (default 2)"},
	{"fail-on", 0, RECORD, FIELD(FLAG, record.fail_on_growing), .need = NEED_FREES, .check = check_fail_on,
	 .argument = "growing", .help = "Exit with status 5 when a site is a leak suspect"},
	{"alloc", 0, RECORD | DOCTOR | LIVE, .check = add_pool, .argument = "FILE:FUNCTIONS",
	 .help = "Also probe an allocator of the program's own: FILE:get(size=1)=ret,put(ptr=1); may be given again"},
	{"alloc-only", 0, RECORD | LIVE, FIELD(FLAG, record.tracing.alloc_only),
	 .help = "Do not probe free: half the cost, in-use unknown"},
	{"max-overhead", 0, RECORD | LIVE, .check = take_max_overhead, .argument = "PCT",
	 .help = "Above this share of the target's CPU time, trace less, step by step, and detach at last"},
	{"no-new", 0, RECORD | LIVE, FIELD(FLAG, record.tracing.no_new),
	 .help = "Do not probe an allocator's own operator new, which may throw"},
	{"resident", 0, RECORD, FIELD(FLAG, record.tracing.residency), .need = NEED_FREES,
	 .help = "Also look up which bytes of live objects are resident, swapped, untouched or all zero"},
	{"mappings", 0, RECORD | SERVE, FIELD(FLAG, record.tracing.regions),
	 .help = "Also record what system calls map and unmap, exactly, with stacks: what malloc does not see"},
	{"show-allocator", 0, RECORD | LIVE, FIELD(FLAG, record.tracing.show_allocator),
	 .help = "Keep the allocator's own frames (default: hide them)"},
	{"footprint", 0, RECORD | DOCTOR | LIVE, FIELD(FLAG, record.tracing.small), .check = check_footprint,
	 .argument = "small",
	 .help = "Take as little memory as can be, for a control group of 64 MiB; doctor says what that gives up"},
	{"site-skip", 0, RECORD | REPORT | LIVE, .check = take_site_skip, .argument = "REGEX",
	 .help = "Functions that sites pass over, as they do over wrappers of malloc: a site is the first line above"},
	{"clean", 0, DOCTOR, FIELD(FLAG, clean),
	 .help = "Take out breakpoints that stayed in the target (default: in any process) when heaptap was killed, and give Python its pointers back"},
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
	{"html", 0, RECORD, FIELD(WORD, html), .noun = "file", .need = NEED_PPROF, .argument = "FILE.html",
	 .help = "At the end, also write a page to look at in a browser"},
	{"html", 0, REPORT, FIELD(WORD, html), .noun = "file", .need = NEED_PAGE, .argument = "FILE.html",
	 .help = "Write a page to look at in a browser, instead of printing; with --base, of what differs"},
	{"batch", 'b', TOP, FIELD(FLAG, top.batch),
	 .help = "Print what would be shown, as plain text, without a terminal"},
	{"count", 'n', TOP, FIELD(NUMBER, top.count), .most = UINT_MAX, .noun = "times", .need = NEED_BATCH,
	 .argument = "N", .help = "With --batch: end after N times (default: when nothing more comes)"},
	{"rows", 0, TOP, FIELD(NUMBER, top.rows), .initial = 20, .most = UINT_MAX, .noun = "rows", .need = NEED_BATCH,
	 .argument = "N", .help = "With --batch: rows of the table (default 20)"},
	{"delay", 0, TOP, FIELD(SECONDS, top.delay_s), .argument = "TIME",
	 .help = "From one look to the next: seconds, or 90s, 5m (default 2)"},
	{"yes", 'y', TOP, FIELD(FLAG, top.yes), .help = "Do not ask before the whole machine is traced"},
	{"listen", 0, SERVE, FIELD(WORD, serve.listen), .noun = "place", .argument = "PLACE",
	 .help = "Where: ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH (default " LISTENER_DEFAULT ")"},
	{"token-file", 0, SERVE, FIELD(WORD, serve.token_file), .noun = "file", .argument = "FILE",
	 .help = "Answer only to clients that show the token in the first line of FILE"},
	{"to", 0, PUSH, FIELD(WORD, push.to), .noun = "store", .argument = "URL",
	 .help = "The store: pyroscope+https://HOST:PORT, parca+http://..., otlp+http://... (experimental)"},
	{"push", 0, RECORD | SERVE, FIELD(WORD, push.to), .noun = "store", .argument = "URL",
	 .help = "Also push profiles to a store, as 'heaptap push --to URL' does; see docs/push.md"},
	{"every", 0, SERVE | PUSH, FIELD(SECONDS, push.every_s), .need = NEED_STORE, .argument = "TIME",
	 .help = "From one push to the next: seconds, or 90s, 5m (default 15)"},
	{"label", 0, STORE, .check = push_command_take_label, .need = NEED_STORE, .argument = "NAME=VALUE",
	 .help = "A label of all profiles, also in place of one of heaptap's own (service_name); may be given again"},
	{"auth-file", 0, STORE, FIELD(WORD, push.auth_file), .noun = "file", .need = NEED_STORE, .argument = "FILE",
	 .help = "Its first line shows the store who sends: USER:PASSWORD, or a bearer token"},
	{"tenant", 0, STORE, FIELD(WORD, push.tenant), .noun = "tenant", .need = NEED_STORE, .argument = "NAME",
	 .help = "The header X-Scope-OrgID, for a store that has several tenants"},
	{"header-file", 0, STORE, FIELD(WORD, push.header_file), .noun = "file", .need = NEED_STORE, .argument = "FILE",
	 .help = "More headers of requests, 'Name: value' in each line"},
	{"ca-file", 0, STORE, FIELD(WORD, push.ca_file), .noun = "file", .need = NEED_STORE, .argument = "FILE",
	 .help = "Certificates to trust, PEM (default: the system's)"},
	{"spool", 0, STORE, FIELD(WORD, push.spool), .noun = "directory", .need = NEED_STORE, .argument = "DIR",
	 .help = "Keep there what the store does not take now, also over a restart (default: in memory)"},
	{"spool-size", 0, STORE, FIELD(BYTES, push.spool_bytes), .initial = DELIVERY_SPOOL_BYTES, .most = 1ULL << 40,
	 .need = NEED_SPOOL, .argument = "N", .help = "At most so many bytes there, as 64M (default 256M)"},
	{"verbose", 'v', RECORD | REPORT | DOCTOR | LIVE, FIELD(VALUE, verbosity), .value = 1, .help = "Say more"},
	{"quiet", 'q', RECORD | REPORT | DOCTOR | LIVE, FIELD(VALUE, verbosity), .value = -1,
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
