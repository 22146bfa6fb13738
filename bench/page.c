/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page DIR: write there the recording of a process with 100 000 different stacks and 1 000 000 live samples. */
#include <fcntl.h>

#include "tests/unit/view/wide_profile.h"

#include "base/string_list.h"
#include "format/index_write.h"
#include "format/output_file.h"

int main(int argc, char **argv)
{
	struct recording recording = {.version = HEAPTAP_VERSION, .sample_bytes = 1024, .attach = "session"};
	int dir = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, err;
	struct wide_profile wide;
	struct index_entry entry;
	char **files;

	if (dir < 0)
		return 2;
	wide_profile_make(&wide, 100000, 30);
	wide_profile_add_lifetimes(&wide);
	recording.duration_ns = wide.profile.duration_ns;
	err = output_file_write(dir, &wide.profile, FORMAT_PPROF, "", &files);
	entry = index_entry_of(&wide.profile, files);
	err = err ? err : index_write_file(dir, &recording, &entry, 1);
	string_list_free(files);
	wide_profile_release(&wide);
	return err ? 1 : 0;
}
