/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heaptap: which verb? */
#include "cli.h"
#include "doctor.h"
#include "log.h"
#include "record.h"
#include "report.h"

int main(int argc, char **argv)
{
	struct options options;
	int status = cli_parse(argc, argv, &options);

	if (status || options.verb == VERB_NONE)
		return status;
	log_level(options.verbosity);
	switch (options.verb) {
	case VERB_RECORD:
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
