/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/attach_method.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "trace/feature.h"
#include "base/log.h"

static int try_kind(enum attach_kind kind, struct kernel_options *options, struct kernel **ret_kernel,
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

/* The way that HEAPTAP_ATTACH in the environment asks for, ATTACH_NONE when it is unset. 0 or -EINVAL, which is logged. */
static int find_forced(enum attach_kind *ret_kind)
{
	const char *name = getenv("HEAPTAP_ATTACH");

	for (*ret_kind = name ? ATTACH_PERF : ATTACH_NONE; *ret_kind != ATTACH_NONE; --*ret_kind)
		if (!strcmp(name, attach_kind_name(*ret_kind)))
			return 0;
	if (!name)
		return 0;
	log_error("HEAPTAP_ATTACH='%s' is none of session, multi and perf; unset it for the best that works", name);
	return -EINVAL;
}

int attach_method_choose(struct kernel_options *options, struct kernel **ret_kernel,
			 struct calibration *ret_calibration)
{
	enum attach_kind first = ATTACH_SESSION, last = ATTACH_PERF, forced = ATTACH_NONE;
	int err = find_forced(&forced);

	if (err)
		return STATUS_USAGE;
	if (forced != ATTACH_NONE)
		first = last = forced;
	for (enum attach_kind kind = first; kind <= last; kind++) {
		err = try_kind(kind, options, ret_kernel, ret_calibration);
		if (!err)
			return STATUS_DONE;
		log_detail("attaching by %s does not work: %s", attach_kind_name(kind), strerror(-err));
		/* Without the right to do it at all, the next way fails alike. */
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
	struct privileges privileges;
	enum feature_id missing = FEATURE_NONE;
	struct features features;
	char sentence[512];

	if (!privileges_read(&privileges)) {
		feature_probe(&features);
		missing = feature_text_missing(&features);
	}
	if (!missing) {
		log_error("cannot %s: %s; 'heaptap doctor' says what this kernel and these privileges allow", do_what,
			  strerror(-err));
		return STATUS_FAILED;
	}
	feature_text_explain(missing, features.error[missing], &privileges, sentence, sizeof(sentence));
	log_error("cannot %s: %s", do_what, sentence);
	return STATUS_UNSUPPORTED;
}
