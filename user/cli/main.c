/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses the command line and runs the subcommand. A file of its own, so that tests can link everything else. */
#include <malloc.h>

#include "cli/options.h"
#include "cli/doctor.h"
#include "cli/process_argument.h"
#include "base/log.h"
#include "cli/record_command.h"
#include "cli/report.h"
#include "cli/push_command.h"
#include "cli/serve_command.h"
#include "cli/top_command.h"
#include "trace/link_keeper.h"
#include "system/inheritance.h"
#include "trace/libbpf_log.h"

#define LARGE_BYTES (1 << 20)

int main(int argc, char **argv)
{
	struct options options;
	int status;

	inheritance_change();
	libbpf_log_take();
	status = options_parse(argc, argv, &options);
	if (status || options.verb == SUBCOMMAND_NONE)
		return status;
	log_level(options.verbosity);
	/* Else the C library learns from the first large block freed to keep the next ones, up to 64 MiB of them. */
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	mallopt(M_TRIM_THRESHOLD, 2 * LARGE_BYTES);
	status = process_argument_resolve(&options);
	if (status)
		; /* said */
	else if (options.verb == SUBCOMMAND_RECORD)
		status = record_command_run(&options);
	else if (options.verb == SUBCOMMAND_REPORT)
		status = report_run(&options.report);
	else if (options.verb == SUBCOMMAND_TOP)
		status = top_command_run(&options);
	else if (options.verb == SUBCOMMAND_SERVE)
		status = serve_command_run(&options);
	else if (options.verb == SUBCOMMAND_PUSH)
		status = push_command_run(&options);
	else
		status = doctor_run(&options.record.tracing, options.clean);
	link_keeper_stop();
	options_release(&options);
	return status;
}
