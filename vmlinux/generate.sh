#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Write vmlinux.h to stdout: the kernel types that heaptap's programs use, and of these only the fields they use.
#
#   vmlinux/generate.sh [BTF] >vmlinux/vmlinux.h.new       (default BTF: that of the running kernel)
#
# The whole of a kernel's types is 100 000 lines that differ with every configuration. A handful of fields is enough, since
# every structure carries preserve_access_index: libbpf finds the real offsets at load time (CO-RE), on any kernel. So a type
# is added by naming it and its fields in `wanted` below. A name the kernel does not have stops the script: either a new kernel
# has renamed it, and the programs need a second flavour of the type, or it is a typing error.
set -eu
btf=${1:-/sys/kernel/btf/vmlinux}
PATH=$PATH:/usr/sbin

# kind name: members, in the order in which they shall stand
wanted='
enum bpf_map_type: BPF_MAP_TYPE_HASH BPF_MAP_TYPE_ARRAY BPF_MAP_TYPE_PERCPU_ARRAY BPF_MAP_TYPE_RINGBUF BPF_MAP_TYPE_QUEUE BPF_MAP_TYPE_TASK_STORAGE
constant -: BPF_ANY BPF_NOEXIST BPF_EXIST BPF_F_NO_PREALLOC BPF_LOCAL_STORAGE_GET_F_CREATE BPF_F_USER_STACK BPF_F_MMAPABLE BPF_RB_NO_WAKEUP BPF_RB_FORCE_WAKEUP BPF_RB_AVAIL_DATA
push
struct ns_common: inum
struct pid_namespace: ns
struct upid: nr ns
struct pid: level numbers
typedef atomic_t: counter
enum pid_type: PIDTYPE_PID PIDTYPE_TGID
struct rlimit: rlim_cur
struct kernfs_node: id
struct cgroup_root: hierarchy_id
struct cgroup: level kn root ancestors
struct css_set: dfl_cgrp
struct super_block: s_dev
struct inode: i_ino i_sb
struct file: f_inode
struct vm_area_struct: vm_start vm_end vm_pgoff vm_file vm_flags
struct signal_struct: live group_exit_code flags pids sum_sched_runtime maxrss rlim oom_mm
struct sched_entity: sum_exec_runtime
struct return_instance: stack orig_ret_vaddr next
struct uprobe_task: return_instances
struct xol_area: vaddr
struct uprobes_state: xol_area
struct percpu_counter: count
struct mm_struct: exe_file uprobes_state rss_stat brk
struct trace_event_raw_mark_victim: anon_rss
struct thread_info: status
struct task_struct: thread_info se pid tgid real_parent group_leader signal comm mm cgroups utask
pop
'

cat <<'HEAD'
/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef VMLINUX_H
#define VMLINUX_H
/*
 * The kernel types heaptap's programs use, with only the fields they use: CO-RE finds the real offsets at load time.
 * generate.sh makes this file again from a running kernel's BTF and fails when a name has gone.
 */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
typedef int pid_t;
typedef unsigned int dev_t;
typedef unsigned long __kernel_ulong_t;
typedef unsigned long vm_flags_t;
enum {
	false = 0,
	true = 1
};

#include "pt_regs.h"
HEAD

bpftool btf dump file "$btf" format c | awk -v wanted="$wanted" '
	# Pass over the dump: member[type, name] is the line that declares it. Members of unnamed unions and structures count as
	# their parent'"'"'s own, which is how CO-RE looks for them too.
	function declare(line, name) {
		name = line
		sub(/ : [0-9]+;$|;$|,$/, "", name) # bit field, end
		sub(/ = .*/, "", name)
		gsub(/\[[0-9]*\]/, "", name)
		sub(/.*[ \t*]/, "", name)
		sub(/^[ \t]+/, "", line)
		if (!((type, name) in member))
			member[type, name] = line
	}
	/^(struct|enum) [a-z_0-9]+ \{$/ { type = $1 " " $2; next }
	/^enum \{$/ { type = "constant -"; next }
	/^typedef struct \{$/ { type = "typedef"; delete pending; count = 0; next }
	/^\} [a-z_0-9]+;$/ && type == "typedef" {
		type = "typedef " substr($2, 1, length($2) - 1)
		for (i = 0; i < count; i++)
			declare(pending[i])
	}
	/^\}/ { type = ""; next }
	type == "typedef" { pending[count++] = $0; next }
	type != "" && /[;,]$/ || (type ~ /^(enum|constant)/ && / = /) { declare($0) }

	END {
		rows = split(wanted, row, "\n")
		for (r = 1; r <= rows; r++) {
			if (row[r] == "")
				continue
			if (row[r] == "push") {
				print "\n#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)"
				continue
			}
			if (row[r] == "pop") {
				print "\n#pragma clang attribute pop\n\n#endif"
				continue
			}
			split(row[r], half, ": ")
			names = split(half[2], name, " ")
			typedef = half[1] ~ /^typedef/
			opening = typedef ? "typedef struct" : half[1] ~ /^constant/ ? "enum" : half[1]
			print "\n" opening " {"
			for (n = 1; n <= names; n++) {
				if (!((half[1], name[n]) in member)) {
					print "generate.sh: no " name[n] " in " half[1] " of this kernel" >"/dev/stderr"
					exit 1
				}
				line = member[half[1], name[n]]
				if (line !~ /[;,]$/)
					line = line ","
				print "\t" line
			}
			print typedef ? "} " substr(half[1], 9) ";" : "};"
		}
	}'
