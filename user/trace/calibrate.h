/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What one unsampled hit costs on this machine, measured at start by probing two private functions of heaptap itself
 * with the very programs that will be used. Also the proof that this way of attaching works.
 */
#include "trace/bpf_object.h"

struct calibration {
	double alloc_ns, free_ns;
	bool filter_is_right; /* the PID filter sees every thread of the process (multi links before 6.10 do not) */
};

/* 0; -EOPNOTSUPP: links can be made but do not fire; or what attach_open says. Uses scope 0. */
int calibrate(struct kernel *kernel, enum attach_kind kind, struct calibration *ret);

/* The offset of a function of heaptap's own in its file. 0 or negative errno. */
int calibrate_find_offset(void (*function)(void), u64 *ret_offset);

/* Call it in another thread than the main one. 0 or negative errno. */
int calibrate_call_elsewhere(void (*function)(void));
