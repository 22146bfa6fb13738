/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_go.h"

#include <stdio.h>

#include "heap/go_buckets.h"
#include "probe/binaries.h"
#include "probe/go_variables.h"

enum doctor_go doctor_go_print(const struct binaries *binaries)
{
	const struct binary *file = binaries_files(binaries);
	struct go_image image = {0};
	bool keeps, known;

	while (file && !file->go)
		file = file->next;
	if (!file)
		return DOCTOR_GO_NONE;
	keeps = go_keeps_profile(file->elf, &image);
	known = go_buckets_known(image.minor);
	printf("  it is a Go program (%s): ", image.version[0] ? image.version : "of an unknown version");
	if (keeps && known)
		printf("the heap profile that Go keeps itself is read from its memory; two probes, for what it samples, tell "
		       "its ages\n");
	else if (keeps)
		printf("the heap profile that Go keeps itself is not read, as heaptap knows those of Go 1.19 to 1.27\n");
	else
		printf("Go's objects are not malloc's, and it keeps no heap profile of its own, since nothing in it asks for "
		       "one:\n    import net/http/pprof; see docs/languages.md\n");
	return keeps && known ? DOCTOR_GO_READ : DOCTOR_GO_UNREAD;
}
