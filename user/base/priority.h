/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIORITY_H
#define PRIORITY_H
/* Who of heaptap's threads goes before the processes that it traces: the one that empties the ring, nobody else. */

/* The calling thread goes first from here on; threads that it starts do too, until they call priority_lower. */
void priority_raise(void);

/* The calling thread is as heaptap was started. */
void priority_lower(void);

#endif
