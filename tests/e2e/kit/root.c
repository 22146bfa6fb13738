/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of a chroot without leaving its directory. To a process whose root is not its namespace's the kernel refuses user
 * namespaces; and a process that joins the namespace of a container, as `podman exec` does, is not in the container
 * but in what lies below the chroot, since joining leads to the root of the namespace, and a pivot_root within a chroot
 * has not changed that one.
 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s, in a chroot: %s\n", what, strerror(errno));
	exit(1);
}

/* The same directory by the same mount. */
static bool is_root(int fd)
{
	struct statx own, root;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &own) ||
	    statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &root))
		give_up("statx");
	return own.stx_ino == root.stx_ino && own.stx_mnt_id == root.stx_mnt_id;
}

/* To join a namespace, even the one that a process is in, sets its root to the namespace's. (There, no /proc may be.) */
static void join_own_namespace(void)
{
	int self = syscall(SYS_pidfd_open, getpid(), 0);

	if (self < 0 || setns(self, CLONE_NEWNS))
		give_up("setns");
	close(self);
}

/* With the working directory, in a namespace without other processes yet: what covers its root is its root. */
static void cover_root(void)
{
	int tree;

	/* On many machines a mount made here would else be made outside, too. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		give_up("mount");
	tree = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0 || move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		give_up("move_mount");
	join_own_namespace();
	errno = ELOOP; /* as running it again and again would be */
	if (!is_root(tree))
		give_up("a root of its own");
	close(tree);
}

void root_own(char **argv)
{
	char program[PATH_MAX] = "", here[PATH_MAX];
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || readlink("/proc/self/exe", program, sizeof(program) - 1) < 0 || !getcwd(here, sizeof(here)))
		give_up("where this is");
	join_own_namespace();
	if (is_root(root)) {
		close(root);
		if (chdir(here))
			give_up(here);
		return;
	}
	/* A new namespace has copies of all mounts: the working directory goes over to the copy, a descriptor does not. */
	if (fchdir(root) || unshare(CLONE_NEWNS))
		give_up("unshare");
	cover_root();
	/* The program's own file, too, is to be one of this namespace. */
	if (!chdir(here))
		execv(program, argv);
	give_up(program);
}
