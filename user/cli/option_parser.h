/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The parsed command line, what a row of the table of options says, and how an argument is checked and stored. */
#include <regex.h>
#include <stddef.h>

#include "base/status.h"
#include "cli/report.h"
#include "cli/subcommand.h"
#include "push/push.h"
#include "record/record.h"
#include "serve/serve.h"
#include "top/top.h"

struct options {
	enum subcommand verb;
	int verbosity;		      /* -1: -q, 0, 1: -v */
	struct record_options record; /* doctor uses the target only, top, serve and push what is traced */
	struct report_options report;
	struct top_options top;	    /* its target is record's */
	struct serve_options serve; /* the same */
	struct push_options push;   /* the same, and of --push; its labels are its own */
	char **process_names;	    /* of -p, to be found; NULL-terminated, NULL: none */
	bool clean;		    /* of doctor */
	regex_t *site_skip;	    /* of record, report, top, serve and push, which borrow it; NULL: not given */
	const char *html;	    /* of record and report: the page to write; NULL: none */
};

#define OPTION_ENDING_MAX 400 /* what can still be read */
#define OPTIONS_MAX	  64  /* so that a word has a bit for each */

struct option_parser {
	struct options *options;
	char **argv;			 /* the whole command line */
	const char *name;		 /* of the subcommand, with a blank before it; "": none */
	const struct option_row *option; /* whose argument is checked */
	u64 given;			 /* a bit for each row of the table */
	char ending[OPTION_ENDING_MAX];	 /* of the next sentence, if it is not --help that helps; "": it is */
	int status;			 /* the exit status, once something has stopped the parser */
};

/* The type of the field, and what it gets. */
enum option_kind {
	OPTION_CALL,	/* u32, or no field: `check` does everything but the initial value */
	OPTION_FLAG,	/* bool: true */
	OPTION_VALUE,	/* int or enum: `value` */
	OPTION_NUMBER,	/* u32: 1 to `most`, and 0 for the word off where `off` is set */
	OPTION_BYTES,	/* u64: 1 to `most`, as parse_bytes takes it */
	OPTION_SECONDS, /* double: more than 0, as parse_seconds takes it */
	OPTION_WORD,	/* const char *; not empty when it has a noun */
	OPTION_CHOICE,	/* u32 or enum: the index of one of the words */
	OPTION_CHOICES, /* u32: a bit for each of the words, separated by commas; every bit for the word all */
};

/* What an option needs besides itself; checked at the end of the command line. */
enum option_need {
	NEED_NOTHING,
	NEED_FREES,	       /* not --alloc-only */
	NEED_SEVERAL,	       /* several processes, not those of -p or COMMAND alone */
	NEED_MERGED,	       /* the same, as ended ones are merged only there */
	NEED_NAMED,	       /* -p or COMMAND */
	NEED_CHOSEN,	       /* not every process of the machine */
	NEED_FOLLOWED_COMMAND, /* --follow -- COMMAND */
	NEED_TABLE,	       /* report's table */
	NEED_BATCH,	       /* top's */
	NEED_PAGE,	       /* nothing that is about tables alone */
	NEED_PPROF,	       /* files that can be read back */
	NEED_SPOOL,	       /* a spool */
	NEED_STORE,	       /* a store to push to */
};

struct option_row {
	const char *name;	  /* NULL: it has a letter only */
	char letter;		  /* 0: it has a name only */
	unsigned int subcommands; /* a bit for each enum subcommand */
	enum option_kind kind;
	size_t field;		  /* offset in struct options */
	u64 initial;		  /* of the field, when the option is not given */
	u64 most;		  /* of a number */
	int value;		  /* of OPTION_VALUE */
	bool off;		  /* of OPTION_NUMBER */
	const char *const *words; /* of a choice, NULL-terminated */
	const char *noun;	  /* what the argument is, in error messages */
	enum option_need need;
	const char *excludes; /* names of options, of which one may be given; each of their rows points to this text */
	int (*check)(struct option_parser *parse, const char *argument); /* called after storing; may be NULL */
	const char *argument, *help;					 /* as --help shows them */
};

/* As the user writes it: the letter if it has one. Static storage. */
const char *option_spelled(const struct option_row *option);

/* Check and store the argument of an option. 0, or not: nothing more is to be parsed. */
int option_take(struct option_parser *parse, const struct option_row *option, const char *argument);

/* Stop parsing, with that exit status or for want of memory. Both return non-zero, for their caller to return too. */
int option_stop(struct option_parser *parse, int status);
int option_no_memory(struct option_parser *parse);

/* One sentence about which argument is wrong; the next step is added, --help where suggestion.h has set no other. */
__attribute__((format(printf, 2, 3))) int option_refuse(struct option_parser *parse, const char *format, ...);

/* Call `each` for every part of a comma-separated list, empty ones included. */
int option_list(struct option_parser *parse, const char *list,
		int (*each)(struct option_parser *parse, const char *part));
