/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H
/* Who of heaptap's threads goes before the processes that it traces: the one that empties the ring, nobody else. */

/* The calling thread goes first from here on; threads that it starts do too, until they call thread_lower_priority. */
void thread_raise_priority(void);

/* The calling thread is as heaptap was started. */
void thread_lower_priority(void);

#endif
