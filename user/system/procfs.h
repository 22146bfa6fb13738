/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What /proc says about one process. It may be gone between two calls: every function can fail with -ESRCH. A process that cannot be looked
 * at for want of a descriptor or of memory (system/shortage.h) is not taken for gone.
 *
 * The room: system/ asks the operating system, and knows nothing of allocators, probes and profiles. It owns
 *   - processes: procfs, proc_maps (what a process maps now), address_map (what it mapped over time), breakpoints, mapped_by,
 *     pid_list, root_fs (files as a process sees them);
 *   - control groups and containers: cgroup_mounts, cgroup, cgroup_resolve, container, container_list,
 *     container_runtimes, container_path;
 *   - heaptap's own process and COMMAND: capability, signals, workload, file_copies.
 * It may not include libbpf, log, or decide what to trace: it returns errors and sentences, and its caller reports them.
 */
#include <sys/types.h>

#include "include/types.h"

/* The whole of a file that is smaller than `buffer`, in one read, as a string; its length or negative errno. */
ssize_t procfs_read(const char *path, char *buffer, size_t size);

/* Why a file of /proc/PID could not be opened, by errno: -ESRCH, there is no such process, or another negative errno. */
int procfs_failure(void);

/* A thread of `pid` that still runs: pid itself, unless its main thread has exited. 0: the process is gone or a zombie.
 */
pid_t procfs_live_thread(pid_t pid);

/* A thread that has exited, though perhaps nobody has asked for its status yet. */
bool procfs_has_ended(pid_t tid);

/* A process whose threads have all begun to exit: freeing its memory may take a while yet. True too when it is gone. */
bool procfs_is_ending(pid_t pid);

/* As stat has it: 'R' runs, or waits for nothing but a processor; 't' is stopped by ptrace; 0: it is gone. */
char procfs_state(pid_t tid);
bool procfs_is_stopped(pid_t pid);	/* by a signal, until another one */
unsigned int procfs_threads(pid_t pid); /* 0: unknown */

/* A thread that the kernel has made for the process, as for requests of io_uring: it never runs the process's code. */
bool procfs_is_kernels(pid_t tid);

bool procfs_is_kernel_thread(pid_t pid); /* a process of the kernel alone, without a program */

/* The number of a process inside the innermost PID namespace that it is in; 0: unknown, or it is in ours. */
pid_t procfs_inner_pid(pid_t pid);

/* The effective user of a process, and its number in the innermost of its PID namespaces. 0, -ESRCH or a shortage. */
int procfs_identity(pid_t pid, uid_t *ret_uid, pid_t *ret_inner);

pid_t procfs_process(pid_t tid); /* the process a thread belongs to; 0: no such thread; negative errno: a shortage */

int procfs_comm(pid_t pid, char ret_comm[16]);
char *
procfs_command_line(pid_t pid);	  /* allocated, its words with blanks between them, at most 4 KiB; NULL: it has none */
char *procfs_exe(pid_t pid);	  /* allocated, " (deleted)" cut; NULL: unknown, errno says why */
u64 procfs_rss_bytes(pid_t pid);  /* 0: unknown */
u64 procfs_heap_start(pid_t pid); /* where brk began; 0: unknown */
u64 procfs_cpu_ns(pid_t pid);	  /* CPU time of all threads, the dead ones too; 0: unknown */

pid_t procfs_parent(pid_t pid); /* 0: unknown, or none here */
/* It has a handler for the signal; false: unknown, or none. */
bool procfs_catches(pid_t pid, int signal);
pid_t procfs_tracer(pid_t pid);		 /* the process that debugs it; 0: unknown, or none */
int procfs_seccomp(pid_t tid);		 /* of a thread, SECCOMP_MODE_*; negative: unknown */
bool procfs_has_shadow_stack(pid_t tid); /* true also where it is unknown */
bool procfs_maps_code(pid_t pid);	 /* false: gone, or a thread of the kernel */

/*
 * Cut " (deleted)", which the kernel appends to the name of a file that has no name any more or (a memfd) never had one.
 * True if it was there. A file whose own name ends so is cut too: only the file itself can tell.
 */
bool procfs_cut_deleted(char *path);

/* Is that the name of memory that looks like a file's (a memfd, System V's)? Nothing can be opened by it. */
bool procfs_is_memory(const char *path);

/* Can threads of this machine have shadow stacks ("user_shstk" in /proc/cpuinfo)? True also where it is unknown. */
bool procfs_has_shadow_stacks(void);
