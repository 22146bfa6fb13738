// SPDX-License-Identifier: GPL-2.0-or-later
/* numbers.mjs FILE: the page writes numbers as the terminal does. FILE is JSON: {bytes, digits, seconds: [[number, text], ...]}. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { bytes, digits, seconds } from "./numbers.js";

const expected = JSON.parse(readFileSync(process.argv[2], "utf8"));

for (const [name, write] of Object.entries({ bytes, digits, seconds })) {
	assert.ok(expected[name].length > 1000);
	for (const [number, text] of expected[name])
		assert.equal(write(number), text, `${name} of ${number}`);
}
