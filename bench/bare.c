/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What heaptap's cost is compared with: empty programs, attached to one process until this program is interrupted.
 *
 *   bare floor PID   at the sites heaptap would use, by the best kind of link there is, without a return leg
 *   bare naive PID   at the symbols malloc (entry and return) and free (entry), by perf-event uprobes
 *   bare walk PID    at malloc's return, after it was entered, by the best kind of link there is; not empty: it walks
 *                    the stack by frame pointers. Interrupted, it prints how many frames it found, up to 27
 *   bare leg PID     the same without the walk
 *   bare calls PID   at the tracepoints where all system calls of the machine begin and end, where nothing nearer to those that map
 *                    memory can be had
 *   bare timing PID  none, but the kernel takes the time of all programs meanwhile (run_time_ns in /proc/PID/fdinfo)
 *
 * It says "ready" when all are attached.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <asm/ptrace.h>
#include <unistd.h>

#include "binary/elf.h"
#include "trace/uprobe_link.h"
#include "system/proc_maps.h"
#include "probe/binaries.h"

#define WALK_FRAMES 27

/* What the walking program leaves: the size of the last stack, and it. */
struct walked {
	s64 bytes;
	u64 ip[WALK_FRAMES];
};

static int walked_fd = -1;

struct search {
	pid_t pid;
	struct binaries *binaries;
	struct binary *file;
};

static int search_mapping(struct mapping *mapping, void *arg)
{
	struct search *search = arg;
	int err = binaries_open_mapping(search->binaries, search->pid, mapping, &search->file);

	return err ? err : search->file && search->file->plan;
}

/* A program that does nothing; in a session, 1 says that the return leg is not wanted. */
static int load_empty(u32 attach_type)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K,
		 .dst_reg = BPF_REG_0,
		 .imm = attach_type == ATTACH_UPROBE_SESSION},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_load_opts options = {.sz = sizeof(options), .expected_attach_type = attach_type};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "empty", "GPL", code, sizeof(code) / sizeof(code[0]), &options);
}

/*
 * On the return leg, told by the instruction pointer, walks the stack; unless `empty`, when it does all but that.
 */
static int load_walk(u32 attach_type, bool empty)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_func_ip},
		{.code = BPF_LDX | BPF_MEM | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_6,
		 .off = offsetof(struct pt_regs, rip)},
		{.code = BPF_JMP | BPF_JEQ | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_0, .off = 9},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
		 .dst_reg = BPF_REG_7,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = walked_fd},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_6},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_7},
		{.code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_2, .imm = offsetof(struct walked, ip)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = WALK_FRAMES * sizeof(u64)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_4, .imm = BPF_F_USER_STACK},
		{.code = empty ? BPF_ALU64 | BPF_MOV | BPF_K : BPF_JMP | BPF_CALL,
		 .imm = empty ? 0 : BPF_FUNC_get_stack},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_7, .src_reg = BPF_REG_0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_load_opts options = {.sz = sizeof(options), .expected_attach_type = attach_type};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, empty ? "leg" : "walk", "GPL", code, sizeof(code) / sizeof(code[0]),
			     &options);
}

static int attach_perf(const char *path, u64 offset, pid_t pid, bool ret)
{
	int prog_fd = load_empty(0), perf_fd, fd;

	if (prog_fd < 0)
		return prog_fd;
	fd = uprobe_link_create_perf(prog_fd, path, offset, 0, pid, ret, &perf_fd);
	return fd < 0 ? fd : 0;
}

static int attach_naive(const struct plan *plan, const char *path, pid_t pid)
{
	int err = 0;

	for (u32 i = 0; i < plan->probe_count && !err; i++) {
		const struct plan_probe *probe = &plan->probes[i];
		u64 symbol = probe->offset - probe->site.offset;

		if (!strcmp(probe->symbol, "malloc"))
			err = attach_perf(path, symbol, pid, true);
		if (!err && (!strcmp(probe->symbol, "malloc") || !strcmp(probe->symbol, "free")))
			err = attach_perf(path, symbol, pid, false);
	}
	return err;
}

static int attach_floor(const struct plan *plan, const char *path, pid_t pid)
{
	static const u32 types[] = {ATTACH_UPROBE_SESSION, ATTACH_UPROBE_MULTI};
	u64 offsets[RANGES_MAX] = {0};
	int err = 0;

	for (u32 i = 0; i < plan->probe_count; i++)
		offsets[i] = plan->probes[i].offset;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int prog_fd = load_empty(types[i]);

		if (prog_fd >= 0 && uprobe_link_create_multi(prog_fd, types[i], path, offsets, NULL, plan->probe_count,
							     pid, false) >= 0)
			return 0;
	}
	for (u32 i = 0; i < plan->probe_count && !err; i++)
		err = attach_perf(path, offsets[i], pid, false);
	return err;
}

static int attach_walk(const struct plan *plan, const char *path, pid_t pid, bool empty)
{
	static const u32 types[] = {ATTACH_UPROBE_SESSION, ATTACH_UPROBE_MULTI};
	u32 probe = 0;

	while (probe < plan->probe_count && strcmp(plan->probes[probe].symbol, "malloc"))
		probe++;
	walked_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "walked", sizeof(u32), sizeof(struct walked), 1, NULL);
	if (probe == plan->probe_count || walked_fd < 0)
		return walked_fd < 0 ? walked_fd : -ENOENT;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int prog_fd = load_walk(types[i], empty);

		if (prog_fd >= 0 && uprobe_link_create_multi(prog_fd, types[i], path, &plan->probes[probe].offset, NULL,
							     1, pid, types[i] == ATTACH_UPROBE_MULTI) >= 0)
			return 0;
	}
	return -EOPNOTSUPP;
}

static int attach_calls(void)
{
	static const char *const tracepoints[] = {"sys_enter", "sys_exit"};
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
		int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", code,
				       sizeof(code) / sizeof(code[0]), NULL);

		if (fd >= 0)
			fd = bpf_raw_tracepoint_open(tracepoints[i], fd);
		if (fd < 0)
			return fd;
	}
	return 0;
}

static int attach(const char *how, pid_t pid)
{
	struct search search = {.pid = pid};
	char path[64];
	int err;

	if (!strcmp(how, "timing"))
		return bpf_enable_stats(BPF_STATS_RUN_TIME) < 0 ? -errno : 0;
	if (!strcmp(how, "calls"))
		return attach_calls();
	search.binaries = binaries_new(NULL, false);
	if (!search.binaries)
		return -ENOMEM;
	err = proc_maps_for_each(pid, search_mapping, &search);
	if (err != 1)
		return err ? err : -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", elf_fd(search.file->elf));
	if (!strcmp(how, "floor"))
		return attach_floor(search.file->plan, path, pid);
	if (!strcmp(how, "walk") || !strcmp(how, "leg"))
		return attach_walk(search.file->plan, path, pid, !strcmp(how, "leg"));
	return !strcmp(how, "naive") ? attach_naive(search.file->plan, path, pid) : -EINVAL;
}

int main(int argc, char **argv)
{
	struct walked walked;
	const u32 key = 0;
	sigset_t stop;
	int err, number;

	if (argc != 3) {
		fprintf(stderr, "usage: bare floor|naive|walk|leg|calls|timing PID\n");
		return 2;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	err = attach(argv[1], atoi(argv[2]));
	if (err) {
		fprintf(stderr, "bare: cannot attach: %s\n", strerror(-err));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	sigwait(&stop, &number);
	if (!bpf_map_lookup_elem(walked_fd, &key, &walked))
		printf("%d frames\n", (int)(walked.bytes / (s64)sizeof(u64)));
	return 0;
}
