/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How large the unwind tables of the given files are, and how long each takes to make. A line each: rows, kilobytes,
 * milliseconds, and rows that there is no rule for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "unwind/compile.h"
#include "base/clock.h"

#define ROUNDS 5

/* The shortest of some rounds; the others shared the machine. */
static int measure(const char *path, struct cfi_rules *rules)
{
	u64 best = UINT64_MAX;
	struct cfi_table table = {0};
	struct elf *elf;
	int err;

	err = elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf);
	for (int i = 0; !err && i < ROUNDS; i++) {
		u64 start = clock_now_ns(), end;

		cfi_table_release(&table);
		err = cfi_compile(elf, rules, &table);
		end = clock_now_ns();
		best = end - start < best ? end - start : best;
		if (err)
			elf_free(elf);
	}
	if (err) {
		fprintf(stderr, "%s: %s\n", path, strerror(-err));
		return 1;
	}
	printf("%llu %.0f %.2f %llu\n", (unsigned long long)table.row_count, table.count * sizeof(u32) / 1e3,
	       (double)best / 1e6, (unsigned long long)table.lost_count);
	cfi_table_release(&table);
	elf_free(elf);
	return 0;
}

int main(int argc, char **argv)
{
	struct cfi_rules *rules = cfi_rules_new();
	int status = !rules;

	for (int i = 1; rules && i < argc; i++)
		status |= measure(argv[i], rules);
	cfi_rules_free(rules);
	return status;
}
