/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a BPF token gives a user without capabilities: for each call that tracing takes, whether the kernel lets it, without the token and with
 * it. Root makes the token's file system for a user namespace of that user, with everything delegated; see token.sh.
 *
 * Structs of bpf(2) are spelled out, as the headers of Debian 12 are older than tokens (Linux 6.9).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/types.h"

#define USER		   65534
#define TOKEN_CREATE	   36
#define TOKEN_FLAG	   (1U << 16) /* BPF_F_TOKEN_FD */
#define TRACE_UPROBE_MULTI 48

struct map_create {
	u32 type, key_size, value_size, max_entries, flags, inner, node;
	char name[16];
	u32 ifindex, btf, key_type, value_type, vmlinux_type;
	u64 extra;
	s32 value_btf, token;
};

struct prog_load {
	u32 type, insn_count;
	u64 insns, license;
	u32 log_level, log_size;
	u64 log;
	u32 version, flags;
	char name[16];
	u32 ifindex, attach_type, btf, func_info_size;
	u64 func_info;
	u32 func_infos, line_info_size;
	u64 line_info;
	u32 line_infos, attach_btf_id, attach_fd, relos;
	u64 fd_array, relo;
	u32 relo_size, log_true_size;
	s32 token;
	u32 padding;
};

struct link_create {
	u32 prog, target, attach_type, flags;
	u64 path, offsets, ref_ctrs, cookies;
	u32 count, multi_flags, pid, padding;
};

static int token = -1;

static int bpf(int command, void *attr, size_t size)
{
	return (int)syscall(SYS_bpf, command, attr, size);
}

/* Prints a row; returns the descriptor, or -1. */
static int row(const char *call, int result)
{
	printf("  %-62s %s\n", call, result < 0 ? strerrorname_np(errno) : "works");
	fflush(stdout);
	return result;
}

/* --- what tracing takes --- */

static int create_map(u32 type, u32 key, u32 value, u32 entries)
{
	struct map_create attr = {.type = type, .key_size = key, .value_size = value, .max_entries = entries};

	if (token >= 0)
		attr.flags = TOKEN_FLAG, attr.token = token;
	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int load(u32 type, u32 attach_type, const struct bpf_insn *insns, u32 count)
{
	struct prog_load attr = {.type = type,
				 .attach_type = attach_type,
				 .insns = (uintptr_t)insns,
				 .insn_count = count,
				 .license = (uintptr_t) "GPL"};

	if (token >= 0)
		attr.flags = TOKEN_FLAG, attr.token = token;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Adds 1 to the first number of the map, after a read of user memory, whose helper takes CAP_PERFMON. */
static int load_counter(u32 type, u32 attach_type, int map)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD, .dst_reg = 1, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_user},
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -8},
		{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
		{},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD, .dst_reg = 2, .imm = -8},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1, .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return load(type, attach_type, insns, sizeof(insns) / sizeof(*insns));
}

__attribute__((noipa)) static void probed(void)
{
	__asm__ volatile("");
}

static u64 offset_of_probed(void)
{
	u64 from, to, offset, address = (u64)(uintptr_t)&probed;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) == 3 && address >= from && address < to)
			return address - from + offset;
	return 0;
}

static int link_multi(int prog, pid_t pid)
{
	u64 offset = offset_of_probed();
	struct link_create attr = {.prog = (u32)prog,
				   .attach_type = TRACE_UPROBE_MULTI,
				   .path = (uintptr_t) "/proc/self/exe",
				   .offsets = (uintptr_t)&offset,
				   .count = 1,
				   .pid = (u32)pid};

	return bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

static void probe_itself(int map)
{
	int prog = row("PROG_LOAD of a kprobe program for uprobe_multi",
		       load_counter(BPF_PROG_TYPE_KPROBE, TRACE_UPROBE_MULTI, map));
	u64 hits = 0;
	u32 key = 0;
	union bpf_attr lookup = {.map_fd = (u32)map, .key = (uintptr_t)&key, .value = (uintptr_t)&hits};

	if (prog < 0)
		return;
	row("LINK_CREATE of uprobe_multi, on every process", link_multi(prog, 0));
	if (row("LINK_CREATE of uprobe_multi, on one process", link_multi(prog, getpid())) < 0)
		return;
	for (int i = 0; i < 1000; i++)
		probed();
	bpf(BPF_MAP_LOOKUP_ELEM, &lookup, sizeof(lookup));
	printf("  %-62s %lu of 2000\n", "hits counted by both links in 1000 calls", hits);
}

static int side_band(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY,
				       .mmap = 1,
				       .mmap2 = 1,
				       .comm = 1,
				       .task = 1,
				       .exclude_kernel = 1};

	return (int)syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static void try_all(void)
{
	static const char tracepoint[] = "sched_process_exit";
	union bpf_attr raw = {.raw_tracepoint.name = (uintptr_t)tracepoint};
	int map = row("MAP_CREATE of an array", create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1));
	int prog;

	row("MAP_CREATE of a ring", create_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 1 << 16));
	if (map >= 0) {
		probe_itself(map);
		prog = row("PROG_LOAD of a raw tracepoint program", load_counter(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, map));
		raw.raw_tracepoint.prog_fd = (u32)prog;
		if (prog >= 0)
			row("RAW_TRACEPOINT_OPEN of sched_process_exit",
			    bpf(BPF_RAW_TRACEPOINT_OPEN, &raw, sizeof(raw)));
	}
	row("perf_event_open of the side-band, of one process", side_band(getpid(), -1));
	row("perf_event_open of the side-band, of a processor", side_band(-1, 0));
	row("open of /proc/1/maps, which is root's", open("/proc/1/maps", O_RDONLY | O_CLOEXEC));
}

/* --- the token's way: the user's open file system, filled in by root, comes back as a mount --- */

static void send_descriptor(int peer, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec data = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (sendmsg(peer, &message, 0) != 1)
		exit(9);
}

static int receive_descriptor(int peer)
{
	char space[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec data = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
	int fd;

	if (recvmsg(peer, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		exit(9);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int delegate(int fs)
{
	static const char *const kinds[] = {"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"};

	for (int i = 0; i < 4; i++)
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, kinds[i], "any", 0))
			return -1;
	return syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -1 : (int)syscall(SYS_fsmount, fs, 0, 0);
}

static void map_user(pid_t child, const char *kind)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s_map", child, kind);
	file = fopen(path, "we");
	if (!file || fprintf(file, "0 %d 1", USER) < 0 || fclose(file))
		exit(9);
}

static int without_privileges(int peer)
{
	u32 attr[2] = {};

	if (setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
		return 9;
	puts("without a token:");
	try_all();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || write(peer, "u", 1) != 1 || read(peer, attr, 1) != 1)
		return 9;
	attr[0] = 0;
	puts("in a user namespace of the user's:");
	int fs = row("fsopen of bpf", (int)syscall(SYS_fsopen, "bpf", FSOPEN_CLOEXEC));

	if (fs < 0)
		return 1;
	send_descriptor(peer, fs);
	attr[1] = (u32)openat(receive_descriptor(peer), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	token = row("TOKEN_CREATE", bpf(TOKEN_CREATE, attr, sizeof(attr)));
	if (token < 0)
		return 1;
	puts("with the token:");
	try_all();
	return 0;
}

int main(void)
{
	int pair[2], status, mount;
	pid_t child;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return 9;
	child = fork();
	if (!child) {
		close(pair[0]);
		exit(without_privileges(pair[1]));
	}
	close(pair[1]);
	if (read(pair[0], &byte, 1) == 1) {
		map_user(child, "gid");
		map_user(child, "uid");
		if (write(pair[0], &byte, 1) != 1)
			return 9;
		mount = delegate(receive_descriptor(pair[0]));
		if (mount < 0)
			perror("root cannot make the file system");
		else
			send_descriptor(pair[0], mount);
	}
	close(pair[0]);
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}
