/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said and written at the end of every recording. Called by finish_each and finish_population. */
#include "record/finish.h"

#include <inttypes.h>

#include "base/log.h"
#include "binary/symbolizer.h"

struct recording finish_recording(const struct publication *publication)
{
	return (struct recording){
		.version = HEAPTAP_VERSION,
		.sample_bytes = publication->options->sample_bytes,
		.attach = publication->attach,
		.start_unix_ns = publication->start_unix_ns,
		.duration_ns = publication->duration_ns,
		.options = (const char *const *)publication->options->argv,
	};
}

int finish_say(const struct publication *publication, const char *failed, int err, u64 files)
{
	const char *path = publication->output->path;

	if (publication->symbolizer && symbolizer_complaint(publication->symbolizer))
		log_note("some names may be missing: %s", symbolizer_complaint(publication->symbolizer));
	if (err)
		publish_say_failure(publication, failed, err);
	if (err || publication->failed)
		return STATUS_FAILED;
	log_note("%" PRIu64 " profile file%s and index.json written to '%s'; 'heaptap report %s' shows them", files,
		 files == 1 ? "" : "s", path, path);
	return STATUS_DONE;
}

int finish_growth(u32 sites, u32 processes)
{
	if (!sites)
		return STATUS_DONE;
	log_error("--fail-on growing: %u site%s in %u process%s grow%s", sites, sites == 1 ? "" : "s", processes,
		  processes == 1 ? "" : "es", sites == 1 ? "s" : "");
	return STATUS_FOUND;
}
