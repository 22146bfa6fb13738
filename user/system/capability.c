/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INITIAL_USERNS_INUM 0xEFFFFFFDU /* PROC_USER_INIT_INO, fixed since 3.8 */

static const struct capability table[] = {
	{CAP_BPF, "CAP_BPF", "load BPF programs", true, false},
	{CAP_PERFMON, "CAP_PERFMON", "attach to uprobes and tracepoints, read the perf side-band", true, false},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
	 "perf-event uprobes, where the kernel has nothing better; copies of COMMAND's files (--follow, --inline)",
	 false, true},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "look into processes of other users", false, false},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
	 "open files that other users alone may read, or that their processes map and were replaced", false, false},
	{CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", "open mapped files that were replaced or deleted", false,
	 false},
	{CAP_CHOWN, "CAP_CHOWN", "give copies of COMMAND's files to the files' owners (--follow, --inline)", false,
	 false},
	{CAP_FOWNER, "CAP_FOWNER", "give such copies the files' modes and times", false, false},
};

int privileges_read(struct privileges *ret_privileges)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	struct stat space;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	ret_privileges->effective = data[0].effective | (u64)data[1].effective << 32;
	ret_privileges->user_namespace = !stat("/proc/self/ns/user", &space) && space.st_ino != INITIAL_USERNS_INUM;
	ret_privileges->root = geteuid() == 0;
	return 0;
}

const struct capability *capability_table(unsigned int *ret_count)
{
	*ret_count = sizeof(table) / sizeof(*table);
	return table;
}

/* The capability that includes it, itself if there is none. */
static unsigned int included_in(unsigned int number)
{
	switch (number) {
	case CAP_BPF:
	case CAP_PERFMON:
	case CAP_CHECKPOINT_RESTORE:
		return CAP_SYS_ADMIN;
	case CAP_DAC_READ_SEARCH:
		return CAP_DAC_OVERRIDE;
	default:
		return number;
	}
}

static bool has(const struct privileges *privileges, unsigned int number)
{
	return privileges->effective & (1ULL << number | 1ULL << included_in(number));
}

bool privileges_have(const struct privileges *privileges, const struct capability *capability)
{
	return has(privileges, capability->number);
}

/* Append a name to a list; the length of the whole list, which may be cut. */
static size_t append(size_t used, const char *name, char *list, size_t size)
{
	size_t room = used < size ? size - used : 0;

	return used + (size_t)snprintf(room ? list + used : NULL, room, "%s%s", used ? ", " : "", name);
}

unsigned int privileges_missing_of(const struct privileges *privileges, u64 needed, char *ret_names, size_t size)
{
	unsigned int missing = 0;
	size_t used = 0;

	if (size)
		ret_names[0] = '\0';
	for (unsigned int i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!(needed >> table[i].number & 1) || has(privileges, table[i].number))
			continue;
		used = append(used, table[i].name, ret_names, size);
		missing++;
	}
	return missing;
}

unsigned int privileges_missing(const struct privileges *privileges, bool perf_uprobes, char *ret_names, size_t size)
{
	u64 needed = 0;

	for (unsigned int i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].required || (table[i].perf_uprobes && perf_uprobes))
			needed |= 1ULL << table[i].number;
	return privileges_missing_of(privileges, needed, ret_names, size);
}
