/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What `heaptap report` prints of the recordings of recording_scene.h. */
#include "unit/format/recording_scene.h"

#include "cli/report.h"

static struct capture output;

static inline int report_as(const char *path, enum report_format format, enum measure measure)
{
	struct report_options options = {.path = path, .format = format, .measure = measure, .top = 20};
	int status;

	capture_begin(&output, stdout);
	capture_begin(&errors, stderr);
	status = report_run(&options);
	capture_end(&errors);
	capture_end(&output);
	return status;
}

static inline int report(const char *path)
{
	return report_as(path, REPORT_TABLE, INUSE_SPACE);
}

static inline int report_with(struct report_options options)
{
	int status;

	options.measure = INUSE_SPACE;
	options.top = 20;
	capture_begin(&output, stdout);
	capture_begin(&errors, stderr);
	status = report_run(&options);
	capture_end(&errors);
	capture_end(&output);
	return status;
}
