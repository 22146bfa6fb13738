/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Pages, and scripts that look at them in Debian's Chromium. Functions fail the running test themselves. */

/* Run that script of tests/page with these arguments, of which the second may be NULL; it says itself what is not as it should be. */
void browser_run(const char *script, const char *first, const char *second);

/* `heaptap report WORDS`, of which some ask for a page. */
void browser_make_page(const char *words);
