/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing how to attach, by trying; called by the tracer before anything else. */
#include "trace/attach_method.h"

#include <errno.h>
#include <string.h>

#include "base/status.h"
#include "trace/feature.h"
#include "base/log.h"

static int try_rung(enum attach_kind kind, struct kernel_options *options, struct kernel **ret_kernel,
		    struct calibration *ret_calibration)
{
	struct kernel *kernel;
	int err;

	options->kind = kind;
	err = kernel_open(options, &kernel);
	if (err)
		return err;
	err = calibrate(kernel, kind, ret_calibration);
	if (err) {
		kernel_close(kernel);
		return err;
	}
	log_detail("attaching by %s; a hit costs %.2f us (allocation) and %.2f us (free) here", attach_kind_name(kind),
		   ret_calibration->alloc_ns / 1000, ret_calibration->free_ns / 1000);
	*ret_kernel = kernel;
	return 0;
}

int attach_method_choose(struct kernel_options *options, struct kernel **ret_kernel,
			 struct calibration *ret_calibration)
{
	enum attach_kind first = ATTACH_SESSION, last = ATTACH_PERF, forced = ATTACH_NONE;
	int err = feature_forced(&forced);

	if (err)
		return STATUS_USAGE;
	if (forced != ATTACH_NONE)
		first = last = forced;
	for (enum attach_kind kind = first; kind <= last; kind++) {
		err = try_rung(kind, options, ret_kernel, ret_calibration);
		if (!err)
			return STATUS_DONE;
		log_detail("attaching by %s does not work: %s", attach_kind_name(kind), strerror(-err));
		/* Without the right to do it at all, the next rung fails alike. */
		if (err == -EPERM || err == -EACCES)
			break;
	}
	if (forced == ATTACH_NONE)
		return attach_method_explain("probe", err);
	log_error("cannot probe by %s, which HEAPTAP_ATTACH asks for: %s; unset it for the best that works",
		  attach_kind_name(forced), strerror(-err));
	return STATUS_UNSUPPORTED;
}

int attach_method_explain(const char *do_what, int err)
{
	const char *missing = feature_missing();

	if (missing) {
		log_error("cannot %s: %s", do_what, missing);
		return STATUS_UNSUPPORTED;
	}
	log_error("cannot %s: %s; 'heaptap doctor' says what this kernel and these privileges allow", do_what,
		  strerror(-err));
	return STATUS_FAILED;
}
