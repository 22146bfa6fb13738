/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heaptap: which verb? */
#include <sys/resource.h>

#include "cli.h"
#include "doctor.h"
#include "log.h"
#include "record.h"
#include "report.h"

/* Every mapped file stays open, and the usual soft limit of 1024 is a courtesy to select(), which nobody here calls. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct options options;
	int status = cli_parse(argc, argv, &options);

	if (status || options.verb == VERB_NONE)
		return status;
	log_level(options.verbosity);
	switch (options.verb) {
	case VERB_RECORD:
		raise_descriptor_limit();
		status = record_run(&options);
		break;
	case VERB_REPORT:
		status = report_run(&options);
		break;
	default:
		status = doctor_run(&options);
		break;
	}
	cli_release(&options);
	return status;
}
