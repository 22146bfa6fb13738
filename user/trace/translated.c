/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/translated.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "binary/elf.h"
#include "system/mapped_by.h"
#include "system/procfs.h"
#include "system/translator.h"
#include "trace/tracer_internal.h"

#define LIST_NS 1000000000ULL /* how old the list of translated processes may be: it takes a scan of all */

int translated_check_process(const struct tracer *tracer, pid_t pid)
{
	const char *translator = NULL;
	int err = tracer->harm_translators ? 0 : translator_of(pid, &translator);

	if (!translator)
		return err;
	log_error(
		"pid %d runs under %s, which would translate heaptap's breakpoints like its code, and the program would end; "
		"trace it without %s (--harm-translators traces it all the same)",
		pid, translator, translator);
	return TRANSLATED;
}

int translated_check_program(const struct tracer *tracer, const char *path)
{
	const char *translator = tracer->harm_translators ? NULL : translator_named(path);

	if (!translator)
		return 0;
	log_error(
		"'%s' is %s, which would translate heaptap's breakpoints like its program's code, and the program would end; "
		"trace it without %s (--harm-translators traces it all the same)",
		path, translator, translator);
	return TRANSLATED;
}

static int refresh(struct tracer *tracer)
{
	u64 now_ns = clock_now_ns();
	int err;

	if (tracer->translated_ns && now_ns - tracer->translated_ns < LIST_NS)
		return 0;
	pid_list_release(&tracer->translated);
	err = translator_list(&tracer->translated);
	tracer->translated_ns = err ? 0 : now_ns;
	return err;
}

/* 1: it would be harmed, and by now it has not ended; 0 or negative errno. */
static int would_harm(pid_t pid, const struct mapped_by_file *file, const char **ret_translator)
{
	int err = translator_of(pid, ret_translator);

	return err || !*ret_translator ? err : translator_maps(pid, file);
}

int translated_check_file(struct tracer *tracer, struct binary *file)
{
	const struct mapped_by_file mapped = mapped_by_file(elf_fd(file->elf), elf_path(file->elf));
	int err = tracer->harm_translators ? 0 : refresh(tracer);

	for (unsigned int i = 0; i < tracer->translated.count && !err; i++) {
		pid_t pid = tracer->translated.pids[i];
		const char *translator;
		char comm[16] = "?";

		err = would_harm(pid, &mapped, &translator);
		if (err <= 0)
			continue;
		procfs_comm(pid, comm);
		log_error("'%s' is not probed: pid %d (%s) runs under %s and maps it, would translate heaptap's "
			  "breakpoints like its code, and end; try again when it is over, or choose other processes "
			  "(--harm-translators probes it all the same)",
			  elf_path(file->elf), pid, comm, translator);
		return TRANSLATED;
	}
	return err;
}
