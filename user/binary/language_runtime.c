/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/language_runtime.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define GO_SECTION     ".go.buildinfo" /* made by Go's linker since 1.13; strip leaves it */
#define GO_SECTION_MAX (1u << 20)

static const struct language_runtime go = {
	"a Go program",
	"Go's objects are not malloc's; 'heaptap record' reads the profile that Go keeps of them itself, in programs that import "
	"net/http/pprof or runtime/pprof",
	NULL,
};

static const struct {
	const char *files[3]; /* patterns of base names */
	struct language_runtime runtime;
} known[] = {
	{{"libjvm.so"},
	 {"a Java virtual machine",
	  "Java's objects are not malloc's; 'jcmd PID GC.class_histogram' lists them, 'jcmd PID JFR.start' records who "
	  "allocates them",
	  "'java -XX:+PreserveFramePointer', and 'jcmd PID Compiler.perfmap' before the recording ends,"}},
	{{"node", "nodejs", "libnode.so*"},
	 {"Node.js", "JavaScript's objects are not malloc's; 'node --heap-prof' writes who allocates them",
	  "'node --perf-basic-prof --interpreted-frames-native-stack'"}},
	{{"python3.*[0-9]", "libpython3.*"},
	 {"Python",
	  "what it allocated before the recording is not known, nor, while only samples trap, its objects of up to 512 bytes",
	  "'python3 -X perf' (3.12 and later)"}},
	{{"beam.smp"},
	 {"an Erlang virtual machine", "its heaps are not malloc's; 'erl +Mea min' takes them from malloc",
	  "'erl +JPperf true'"}},
	{{"libcoreclr.so"},
	 {".NET", "its objects are not malloc's; 'dotnet-gcdump collect -p PID' lists them",
	  "'DOTNET_PerfMapEnabled=1'"}},
	{{"php", "php[578].*[0-9]", "php-fpm*"},
	 {"PHP",
	  "its objects are in PHP's own heap, not malloc's; USE_ZEND_ALLOC=0 at its start takes them from malloc",
	  NULL}},
	{{"ruby", "ruby[23].*[0-9]", "libruby*.so*"},
	 {"Ruby",
	  "its objects are in slots of Ruby's own, and malloc has what does not fit into these; ObjectSpace.dump_all lists them",
	  NULL}},
};

static bool matches(const char *const files[3], const char *name)
{
	for (unsigned int i = 0; i < 3 && files[i]; i++)
		if (!fnmatch(files[i], name, 0))
			return true;
	return false;
}

const struct language_runtime *language_runtime_of_path(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (unsigned int i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (matches(known[i].files, name))
			return &known[i].runtime;
	return NULL;
}

const struct language_runtime *language_runtime_of_program(const struct elf *elf)
{
	u8 *bytes = NULL;
	u64 size;
	int err = elf_read_section(elf, GO_SECTION, GO_SECTION_MAX, &bytes, &size, NULL);

	if (!err)
		free(bytes);
	return !err || err == -EFBIG ? &go : NULL;
}
