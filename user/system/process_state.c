/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/process_state.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "system/pid_list.h"
#include "system/procfs.h"
#include "system/shortage.h"

__attribute__((format(printf, 2, 3))) static bool refuse(char ret_why[PROCESS_STATE_TEXT_MAX], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ret_why, PROCESS_STATE_TEXT_MAX, format, arguments);
	va_end(arguments);
	text_printable(ret_why);
	return false;
}

/* The number may be that of a process inside a container, as `ps` shows it there. */
static bool refuse_absent(pid_t pid, char ret_why[PROCESS_STATE_TEXT_MAX])
{
	struct pid_list all;
	unsigned int found = 0;
	char comm[16] = "?";
	pid_t outside = 0;

	if (!pid_list_all(&all)) {
		for (unsigned int i = 0; i < all.count; i++)
			if (procfs_inner_pid(all.pids[i]) == pid && !found++)
				outside = all.pids[i];
		pid_list_release(&all);
	}
	if (!found)
		return refuse(ret_why, "no process %d (any more); -p NAME finds one by name", pid);
	procfs_comm(outside, comm);
	return refuse(ret_why, "no process %d here; in a PID namespace of its own it is process %d (%s)%s; use -p %d",
		      pid, outside, comm, found > 1 ? ", or another one" : "", outside);
}

bool process_state_allows(pid_t pid, char ret_why[PROCESS_STATE_TEXT_MAX])
{
	pid_t process = procfs_process(pid), parent;
	char comm[16] = "?", parent_comm[16] = "?";

	ret_why[0] = '\0';
	if (!process)
		return refuse_absent(pid, ret_why);
	if (process < 0)
		return refuse(ret_why, "process %d cannot be looked at: %s", pid, shortage_explain(process).text);
	procfs_comm(pid, comm);
	if (process != pid)
		return refuse(ret_why, "%d is a thread of process %d (%s); use -p %d", pid, process, comm, process);
	if (procfs_is_kernel_thread(pid))
		return refuse(ret_why, "process %d (%s) is a kernel thread: it runs no program and has no heap", pid,
			      comm);
	if (procfs_live_thread(pid))
		return true;
	parent = procfs_parent(pid);
	procfs_comm(parent, parent_comm);
	return refuse(
		ret_why,
		"process %d (%s) has ended already, and waits for its parent %d (%s) to ask for its status; there is nothing "
		"to trace",
		pid, comm, parent, parent_comm);
}
