/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where heaptap may be killed while another process is in its hands: between any two changes that it makes to that process. Each of
 * those is followed by a call of interruption_point, so that tests can end heaptap at every one of them.
 */

/* Called at every point; NULL: nobody is. */
extern void (*interruption_hook)(void);

static inline void interruption_point(void)
{
	if (interruption_hook)
		interruption_hook();
}
