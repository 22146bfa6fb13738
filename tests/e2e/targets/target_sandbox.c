/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executes a program under a seccomp filter that kills: `target_sandbox madvise PROGRAM...` at every madvise, `target_sandbox
 * wiping PROGRAM...` where memory is asked for that children do not inherit, in either way there is.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIXED_DROPPABLE (0x08 | MAP_FIXED | MAP_ANONYMOUS)

#define LOAD(field)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(x, skip) BPF_JUMP(BPF_JMP | BPF_JEQ, x, 0, skip)
#define KILL		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define ALLOW		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int forbid_madvise(void)
{
	struct sock_filter rules[] = {LOAD(nr), UNLESS(SYS_madvise, 1), KILL, ALLOW};
	struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int forbid_wiping(void)
{
	struct sock_filter rules[] = {
		LOAD(nr),      UNLESS(SYS_madvise, 3),
		LOAD(args[2]), UNLESS(MADV_WIPEONFORK, 5),
		KILL,	       UNLESS(SYS_mmap, 3),
		LOAD(args[3]), UNLESS(FIXED_DROPPABLE, 1),
		KILL,	       ALLOW,
	};
	struct sock_fprog program = {sizeof(rules) / sizeof(*rules), rules};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* No privilege is given up, as heaptap needs its own: the caller has CAP_SYS_ADMIN. */
int main(int argc, char **argv)
{
	if (argc < 3 || (strcmp(argv[1], "wiping") ? forbid_madvise() : forbid_wiping()))
		return 2;
	execv(argv[2], argv + 2);
	return 2;
}
