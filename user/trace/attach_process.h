/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Begin to trace processes that run already, or are about to: scope, image, mappings, probes. Processes that join later are
 * found by the tracer itself. Each function says what goes wrong, and returns enum status.
 */
#include <sys/types.h>

struct tracer;

/* Trace a running process. STATUS_DONE, STATUS_NO_TARGET, STATUS_UNSUPPORTED or STATUS_FAILED. */
int attach_process(struct tracer *tracer, pid_t pid);

/*
 * Trace those of the processes in which there is something to trace. It is no error that a process of a population has gone
 * meanwhile, or is the kernel's own. *ret_attached: how many are traced. STATUS_DONE, or as attach_process.
 */
int attach_processes(struct tracer *tracer, const pid_t *pids, unsigned int count, unsigned int *ret_attached);

/* Trace process `pid`, a child that waits before its exec of `path`, from that exec on. */
int attach_program(struct tracer *tracer, pid_t pid, const char *path);
