/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Lets one call of heaptap fail, see shims/shim_fault.c, and gathers what is wrong with what came of it. */
#include "session.h"

/* The stacks from which a run of heaptap allocates and calls the system, each a line of the shim's log. */
struct fault_sites {
	char *text;
	const char **lines;
	unsigned int count;
};

/* A run, and which call of it fails. */
struct fault {
	const char *scenario;
	const char *site; /* a line of fault_sites; NULL: none */
	unsigned int complaints;
	bool killed; /* heaptap could not take back what it was writing */
};

/* The next session_start logs its stacks in the scene's directory, and the call from fault->site fails. */
void fault_arm(const struct fault *fault, struct scene *scene);

/* The stacks that the session armed without a site has logged. Functions of more than one run may be called again; release them. */
void fault_sites_read(const struct scene *scene, struct fault_sites *ret_sites);
void fault_sites_release(struct fault_sites *sites);

/* Whether the call failed: a run need not come to the same places each time. */
bool fault_has_happened(const struct scene *scene);

/* Say what is wrong after the fault, with all that heaptap said; who ran it fails the test when all have been tried. */
void fault_complain(struct fault *fault, const struct session *session, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * How heaptap may end, and that it says why: documented statuses, each with sentences of its own and nobody else's. What ends it in libdw
 * or libbpf is printed, and is no complaint.
 */
void fault_check_end(struct fault *fault, const struct session *session, int status);

/* What it has written is absent, or `heaptap report` reads it; the ledger of each process balances; nothing half-written is left. */
void fault_check_files(struct fault *fault, const struct session *session);

/* The scene's target, which takes the steps of target_steps; it is unharmed if it goes on and ends, without a breakpoint, and nobody is left. */
void fault_target_start(struct scene *scene);
void fault_check_target(struct fault *fault, struct scene *scene);
