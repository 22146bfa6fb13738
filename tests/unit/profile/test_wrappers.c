/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wrappers.c, frame_role.c and sites.c on real stacks of tests/fixture/wrappers.c, as compilers make it: which function the
 * site of a call is in.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include "profile/frame_role.h"
#include "profile/sites.h"
#include "profile/symbolize.h"
#include "profile/wrappers.h"
#include "unit/binary/symbol_object.h"

/* Addresses in the profile are file offsets, as if the file were mapped at 0 as it is. */
#define FRAMES_MAX 16

static struct object object;
static struct wrappers *wrappers;
static struct profile profile;
static u64 base;

/* The allocator's own frame is the first one in the library: what calls it is the leaf. */
static void see(void)
{
	void *frames[FRAMES_MAX];
	int count = backtrace(frames, FRAMES_MAX);
	struct profile_sample *sample = profile.samples;
	bool allocator = false;
	Dl_info info;

	profile.location_count = sample->depth = 0;
	for (int i = 0; i < count; i++) {
		u64 offset;

		if (!dladdr(frames[i], &info) || (u64)info.dli_fbase != base)
			continue;
		if (!allocator) {
			allocator = true;
			continue;
		}
		assert_int_equal(elf_vaddr_to_offset(object.elf, (u64)frames[i] - 1 - base, &offset), 0);
		sample->location[sample->depth++] = profile.location_count;
		profile.locations[profile.location_count++] = (struct profile_location){.address = offset};
	}
}

/* Its functions: what is called, and in which one the site is. */
static const struct {
	const char *called, *site;
} scenes[] = {
	{"call_checked", "call_checked"},
	{"call_with_header", "call_with_header"},
	{"call_in_pool", "call_in_pool"},
	{"call_zeroed", "call_zeroed"},
	{"call_elements", "call_elements"},
	{"call_aligned", "call_aligned"},
	{"call_cleared", "call_cleared"},
	{"call_things", "things"},
	{"call_thing", "thing"},
	{"call_copied", "copied"},
	{"call_reserve", "reserve"},
};

/* The site's own line, among those of the sample's stack; it is freed by the next call. */
static const struct profile_line *site_line(const regex_t *skip)
{
	static struct profile_site *sites;
	u32 count;

	free(sites);
	assert_int_equal(profile_symbolize(&profile, object.symbolizer), 0);
	assert_int_equal(wrappers_find(wrappers, &profile), 0);
	frame_roles_mark(&profile, skip);
	assert_int_equal(profile_sites(&profile, ALLOC_SPACE, &sites, &count), 0);
	assert_int_equal(count, 1);
	return profile_site_line(&sites[0]);
}

static void forget_names(void)
{
	for (u32 i = 0; i < profile.location_count; i++)
		profile_lines_release(&profile.locations[i]);
}

static void begin(const char *compiler, const char *name, void **ret_library)
{
	static struct profile_mapping mapping = {.end = UINT64_MAX};
	static struct profile_location locations[FRAMES_MAX];
	static struct profile_sample sample = {.size = 100, .alloc_count = 1};
	static u32 stack[FRAMES_MAX];
	char path[128];
	Dl_info info;
	void (**seen)(void);

	build(compiler, "wrappers.c", name);
	object = object_open(name);
	wrappers = wrappers_new(object.symbolizer);
	assert_non_null(wrappers);
	snprintf(path, sizeof(path), "./%s", name);
	*ret_library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	assert_non_null(*ret_library);
	seen = (void (**)(void))dlsym(*ret_library, "seen");
	*seen = see;
	assert_int_not_equal(dladdr(seen, &info), 0);
	base = (u64)info.dli_fbase;
	mapping.elf = object.elf;
	mapping.path = (char *)"/usr/lib/libscenes.so";
	sample.location = stack;
	profile = (struct profile){.sample_bytes = 1,
				   .mappings = &mapping,
				   .mapping_count = 1,
				   .locations = locations,
				   .samples = &sample,
				   .sample_count = 1};
}

static void end(void *library)
{
	intern_release(&profile.texts);
	dlclose(library);
	wrappers_free(wrappers);
	object_close(&object);
}

static void call(void *library, const char *function)
{
	void *address = dlsym(library, function);

	assert_non_null(address);
	((void (*)(void))address)();
	assert_true(profile.samples[0].depth >= 1);
}

static void check_scenes(const char *compiler, unsigned int number)
{
	char name[32];
	void *library;

	print_message("           %s\n", compiler);
	snprintf(name, sizeof(name), "wrappers%u.so", number);
	begin(compiler, name, &library);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		call(library, scenes[i].called);
		assert_string_equal(site_line(NULL)->function, scenes[i].site);
		forget_names();
	}
	end(library);
}

/* `build` adds -O2, of which the last one counts: an option of the function's own is stronger. */
static void test_wrappers_are_found_whatever_the_compiler_makes_of_them(void **state)
{
	static const char *const compilers[] = {
		"gcc -g",
		"gcc -fcf-protection -fno-plt",
		"gcc -g -fstack-protector-all -fno-omit-frame-pointer",
		"gcc -D'FUNCTION=__attribute__((noinline, noclone, optimize(0)))'",
		"gcc -D'FUNCTION=__attribute__((noinline, noclone, optimize(\"Os\")))'",
		"clang -Wno-unknown-attributes -Wno-ignored-attributes -g",
		"clang -Wno-unknown-attributes -Wno-ignored-attributes -D'FUNCTION=__attribute__((noinline, optnone))'",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(compilers) / sizeof(*compilers); i++)
		check_scenes(compilers[i], i);
}

/* As if the leaf's call had never been looked at. */
static void forget_note(void)
{
	u32 *note = symbolizer_note(object.symbolizer, object.elf, profile.locations[0].address);

	assert_non_null(note);
	*note = 0;
}

/* Once more from what was noted, without a look at the code: answers are the symbolizer's. */
static void test_wrappers_are_known_again(void **state)
{
	const struct profile_line *line;
	void *library;
	u32 *note;

	(void)state;
	begin("gcc -g", "again.so", &library);
	call(library, "call_in_pool");
	assert_string_equal(site_line(NULL)->function, "call_in_pool");
	note = symbolizer_note(object.symbolizer, object.elf, profile.locations[0].address);
	assert_non_null(note);
	assert_int_equal(*note & 0xff, 1);
	*note &= ~0xffu;
	forget_names();
	line = site_line(NULL);
	assert_string_equal(line->function, "checked");
	forget_names();
	end(library);
}

/* The next process of the same program is looked at without reading the file again: with nothing behind its descriptor. */
static void test_wrappers_code_is_kept_for_the_next_profile_until_it_is_dropped(void **state)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	void *library;

	(void)state;
	begin("gcc -g", "kept.so", &library);
	call(library, "call_in_pool");
	assert_string_equal(site_line(NULL)->function, "call_in_pool");
	forget_names();
	assert_true(dup2(nothing, elf_fd(object.elf)) >= 0);
	forget_note();
	assert_string_equal(site_line(NULL)->function, "call_in_pool");
	forget_names();
	wrappers_drop(wrappers);
	forget_note();
	assert_string_equal(site_line(NULL)->function, "checked");
	forget_names();
	end(library);
	close(nothing);
}

static void test_site_skip_passes_over_functions_that_are_no_wrappers(void **state)
{
	regex_t skip;
	void *library;

	(void)state;
	assert_int_equal(regcomp(&skip, "^(things|copied)$", REG_EXTENDED | REG_NOSUB), 0);
	begin("gcc -g", "skip.so", &library);
	call(library, "call_things");
	assert_string_equal(site_line(&skip)->function, "call_things");
	assert_int_equal(profile.samples[0].depth, 2);
	assert_string_equal(profile.locations[0].lines[0].function, "things");
	forget_names();
	call(library, "call_thing");
	assert_string_equal(site_line(&skip)->function, "thing");
	forget_names();
	end(library);
	regfree(&skip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrappers_are_found_whatever_the_compiler_makes_of_them),
		cmocka_unit_test(test_wrappers_are_known_again),
		cmocka_unit_test(test_wrappers_code_is_kept_for_the_next_profile_until_it_is_dropped),
		cmocka_unit_test(test_site_skip_passes_over_functions_that_are_no_wrappers),
	};

	return cmocka_run_group_tests_name("wrappers", tests, scratch_setup, scratch_teardown);
}
