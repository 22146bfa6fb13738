/* SPDX-License-Identifier: GPL-2.0-or-later */
/* site_label.c: names cut to what fits and says most, without control characters. */
#include "unit/profile/golden.h"

#include "format/site_label.h"

/* The label of a one-frame stack whose leaf is `function` at `file`:7. */
static const char *label_of(const char *function, const char *file, unsigned int columns, char label[SITE_LABEL_SIZE])
{
	struct profile_line line = {(char *)function, (char *)function, (char *)file, 7, 1, FRAME_PROGRAM};
	struct profile_location location = {
		.address = 0x1234, .line_count = 1, .lines = &line, .mapping = MAPPING_UNKNOWN};
	struct profile profile = {.locations = &location, .location_count = 1};
	struct profile_sample sample = {.location = (u32[]){0}, .depth = 1};
	struct profile_site site = {.location = &location, .example = &sample};

	return site_label(&profile, &site, columns, label);
}

static void check(const char *function, const char *wanted)
{
	char label[SITE_LABEL_SIZE];

	assert_string_equal(label_of(function, NULL, 100, label), wanted);
}

static void test_label_leaves_out_parameters_and_template_arguments(void **state)
{
	(void)state;
	check("main", "main");
	check("ns::make(int, char const*)", "ns::make");
	check("std::vector<int, std::allocator<int> >::push_back(int const&)", "std::vector::push_back");
	check("void f<(anonymous namespace)::t>(void (*)(int))::g()", "void f::g");
	check("(anonymous namespace)::pool::grow(unsigned long)", "(anonymous namespace)::pool::grow");
	check("main::{lambda(int)#1}::operator()(int) const", "main::{lambda#1}::operator() const");
	check("ns::operator<<(std::ostream&, ns::t<int> const&)", "ns::operator<<");
	check("t::operator->() const", "t::operator-> const");
	check("operator new[](unsigned long)", "operator new[]");
	check("<alloc::vec::Vec<T> as core::clone::Clone>::clone", "<alloc::vec::Vec<T> as core::clone::Clone>::clone");
}

/* Its brackets are no template's, and a directory would leave no room for the callers. */
static void test_label_leaves_out_the_directory_of_a_python_file(void **state)
{
	(void)state;
	check("py::remember:/srv/app/store.py", "py::remember:store.py");
	check("py::Store.items.<locals>.<lambda>:/srv/app/store.py", "py::Store.items.<locals>.<lambda>:store.py");
	check("py::exec_module:<frozen importlib._bootstrap>", "py::exec_module:<frozen importlib._bootstrap>");
	/* Functions of C++ in a namespace of that name. */
	check("py::list<int>::get(int)", "py::list::get");
	check("py::name[abi:cxx11](int)", "py::name[abi:cxx11]");
	check("py::", "py::");
}

static void test_label_of_unbalanced_name_ends(void **state)
{
	(void)state;
	check("a>b)c", "a>b)c");
	check("a<b(c", "a");
	check("", "");
}

static void test_label_shows_the_inlined_leaf_and_its_callers(void **state)
{
	struct profile profile = golden_small();
	struct profile_site site = {.location = &profile.locations[INLINED], .example = &profile.samples[0]};
	char label[SITE_LABEL_SIZE];

	(void)state;
	assert_string_equal(site_label(&profile, &site, 100, label),
			    "make_node  small.c:12 < build_list < main < __libc_start_call_main");
	assert_string_equal(site_label(&profile, &site, 60, label), "make_node  small.c:12 < build_list < main < ...");
	assert_string_equal(site_label(&profile, &site, 22, label), "make_node  small.c:12");
}

/* What the site passes over is not in its row, and a line between it and its caller is. */
static void test_label_begins_at_the_sites_own_line(void **state)
{
	struct profile profile = golden_small();
	struct profile_site site = {.location = &profile.locations[INLINED], .line = 1, .example = &profile.samples[0]};
	char label[SITE_LABEL_SIZE];

	(void)state;
	assert_string_equal(site_label(&profile, &site, 60, label),
			    "build_list  small.c:30 < main < __libc_start_call_main");
	site.location = &profile.locations[MAIN];
	site.line = 0;
	site.frame = 1;
	assert_string_equal(site_label(&profile, &site, 60, label), "main  small.c:50 < __libc_start_call_main");
}

static void test_label_in_little_room_is_the_function_alone(void **state)
{
	char label[SITE_LABEL_SIZE];

	(void)state;
	assert_string_equal(label_of("SessionStore::remember", "/src/a_file_name_that_is_long.cc", 36, label),
			    "SessionStore::remember");
}

static void test_stack_shows_every_frame_and_which_one_the_site_is(void **state)
{
	struct profile profile = golden_small();
	struct profile_site site = {.location = &profile.locations[INLINED], .line = 1, .example = &profile.samples[0]};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	site_label_stack(&profile, &site, out);
	site.location = NULL;
	site.example = NULL;
	site_label_stack(&profile, &site, out);
	fclose(out);
	assert_string_equal(text, "      make_node  /src/small.c:12\n"
				  "    > build_list  /src/small.c:30\n"
				  "      main  /src/small.c:50\n"
				  "      __libc_start_call_main\n");
	free(text);
}

static void test_label_without_names_shows_file_and_offset(void **state)
{
	struct profile profile = golden_small();
	struct profile_site site = {.location = &profile.locations[VDSO], .example = &profile.samples[3]};
	char label[SITE_LABEL_SIZE];

	(void)state;
	assert_string_equal(site_label(&profile, &site, 100, label), "[vdso]+0xa10 < 0x10");
	site.location = NULL;
	assert_string_equal(site_label(&profile, &site, 100, label), "(stack unknown)");
}

static void test_label_cuts_the_function_before_the_line(void **state)
{
	char label[SITE_LABEL_SIZE];

	(void)state;
	assert_string_equal(label_of("a_function_with_a_long_name", "/src/dir/file.c", 30, label),
			    "a_function_with_a...  file.c:7");
	assert_string_equal(label_of("f", "/src/a_file_name_that_nobody_wants_to_see_in_full.cc", 80, label),
			    "f  a_file_name_that_nobody_wants_to_see_...");
}

/* Bytes that count for no column must not pile up beyond the buffer. */
static void test_label_of_broken_utf8_stays_in_its_buffer(void **state)
{
	struct profile_line line = {NULL, NULL, NULL, 0, 0, FRAME_PROGRAM};
	struct profile_location location = {.line_count = 1, .lines = &line, .mapping = MAPPING_UNKNOWN};
	struct profile profile = {.locations = &location, .location_count = 1};
	struct profile_sample sample = {.location = (u32[]){0, 0, 0, 0}, .depth = 4};
	struct profile_site site = {.location = &location, .example = &sample};
	char name[2000], *label = malloc(SITE_LABEL_SIZE);

	(void)state;
	memset(name, 0x80, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	line.function = name;
	assert_non_null(label);
	assert_true(strlen(site_label(&profile, &site, 1000, label)) <= SITE_LABEL_COLUMNS_MAX);
	for (size_t i = 0; i + 4 < sizeof(name); i += 4)
		memcpy(name + i, "\xf0\x9f\x92\xa9", 4);
	assert_true(strlen(site_label(&profile, &site, 1000, label)) < SITE_LABEL_SIZE);
	free(label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_leaves_out_parameters_and_template_arguments),
		cmocka_unit_test(test_label_leaves_out_the_directory_of_a_python_file),
		cmocka_unit_test(test_label_of_unbalanced_name_ends),
		cmocka_unit_test(test_label_shows_the_inlined_leaf_and_its_callers),
		cmocka_unit_test(test_label_begins_at_the_sites_own_line),
		cmocka_unit_test(test_label_in_little_room_is_the_function_alone),
		cmocka_unit_test(test_stack_shows_every_frame_and_which_one_the_site_is),
		cmocka_unit_test(test_label_without_names_shows_file_and_offset),
		cmocka_unit_test(test_label_cuts_the_function_before_the_line),
		cmocka_unit_test(test_label_of_broken_utf8_stays_in_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
