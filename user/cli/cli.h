/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_H
#define CLI_H
/*
 * The command line, parsed into plain structs and nothing else. Exit statuses as documented in heaptap(8).
 */
#include <sys/types.h>

#include "include/config.h"
#include "heap/collector.h"
#include "format/writer.h"

enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1, /* failed while running; what was captured is written */
	STATUS_USAGE = 2,
	STATUS_UNSUPPORTED = 3, /* this kernel or these privileges cannot do it */
	STATUS_NO_TARGET = 4,
	STATUS_FOUND = 5,	     /* --fail-on found what it was to look for */
	STATUS_COMMAND_FAILED = 125, /* record -- COMMAND: heaptap's own failure */
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
};

enum verb {
	VERB_NONE,
	VERB_RECORD,
	VERB_REPORT,
	VERB_DOCTOR
};

#define PIDS_MAX     1024
#define FILTERED_MAX 8 /* processes served by links of their own; each further link costs every hit on its site */
#define KEEP_DEFAULT 1000

struct options {
	enum verb verb;
	int verbosity; /* -1: -q, 0, 1: -v */
	/* record and doctor: the target, one of */
	pid_t *pids; /* as given, duplicates removed */
	unsigned int pid_count;
	struct pool *pools; /* of --alloc */
	char **command;	    /* NULL-terminated rest of argv after --, NULL when none */
	/* record */
	double duration_s; /* 0: until the target ends */
	u64 sample_bytes;
	const char *output;   /* NULL: heaptap-<UTC time>/ */
	unsigned int formats; /* mask of enum format */
	bool force, alloc_only, no_new, show_allocator, fail_on_growing;
	bool shared_mounts;
	struct collector_options collector;
	double interval_s; /* 0: no profiles but the last */
	enum population population;
	const char *cgroup, *container; /* of POPULATION_CGROUP, one of them */
	const char *comm, *exe;		/* of a population, only such processes; NULL: all */
	u32 keep;			/* of a population: ended processes with files of their own */
	char **argv;			/* everything after the verb, for index.json */
	/* report */
	const char *path;
	enum report_format {
		REPORT_TABLE,
		REPORT_TEXT,
		REPORT_FOLDED
	} report_format;
	enum measure measure; /* of the folded output and the order of the table; default INUSE_SPACE */
	unsigned int top;     /* sites to print, default 20 */
	bool lifetimes;
	double older_s;	  /* 0: of any age */
	const char *base; /* the older of two profiles, `path` being the newer; NULL: one alone */
};

/*
 * Parse argv. Returns STATUS_DONE with *ret filled and verb set; or the status to exit with at once, everything having
 * been said (--help and --version: STATUS_DONE with verb VERB_NONE; a wrong argument: one sentence on stderr,
 * STATUS_USAGE).
 */
int cli_parse(int argc, char **argv, struct options *ret);
void cli_release(struct options *options);

#endif
