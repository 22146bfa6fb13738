/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/missed_processes.h"

#include "base/log.h"
#include "trace/bpf_object.h"

void missed_processes_count(struct publication *publication)
{
	u64 refused = kernel_refused(publication->kernel), unheard = kernel_missed(publication->kernel);

	publication->processes_missing = unheard;
	publication->processes_refused = refused;
	if (unheard)
		log_note("%llu process%s missing, which began and ended while the ring was full; a larger -R keeps it "
			 "from filling up",
			 (unsigned long long)unheard, unheard == 1 ? " is" : "es are");
	if (refused)
		log_note("%llu process%s not traced: no more than %u can be at once; narrow it with --comm, --exe, "
			 "--cgroup or --container",
			 (unsigned long long)refused, refused == 1 ? " was" : "es were",
			 kernel_processes_max(publication->kernel));
}
