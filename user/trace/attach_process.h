/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_ATTACH_PROCESS_H
#define TRACE_ATTACH_PROCESS_H
/*
 * Processes that run already, or are about to, come to be traced: scope, image, mappings, probes. What joins later is
 * follow's business. Says what goes wrong, and returns enum status.
 */
#include "trace/on_sideband.h"

/* One process, by its pid. See tracer_attach. */
int attach_process(struct follow *follow, pid_t pid);

/* A child that waits before its exec of `path`; NULL: its files are known. See tracer_attach_program. */
int attach_program(struct follow *follow, pid_t pid, const char *path);

/* Many. See tracer_attach_all. */
int attach_population(struct follow *follow, const pid_t *pids, unsigned int count, unsigned int *ret_attached);

#endif
