#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Stacks of ten thousand calls in each language with a runtime, compared with the runtime's own account of the same calls. PYTHON
# (3.12 or later, or its functions have no names), NODE and JAVA may name other interpreters than Debian's.
set -euo pipefail

CALLS=${CALLS:-10000} "${OUT:-build}/tests/e2e/test_languages" 2>&1 |
	sed -n 's/^\[ RUN      \] test_\(.*\)_is_as.*/  \1:/p; s/^\([0-9]* calls: .*\)/    \1/p; s/^\[  FAILED  \].*/&/p'
