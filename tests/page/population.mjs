// SPDX-License-Identifier: GPL-2.0-or-later
/* population.mjs PAGE EXPECTED: several processes. EXPECTED is JSON: {all, processes: {name: bytes in use}}. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { assertAccessible, close, end, open, rowsOf, textOf, textsOf } from "./browser.mjs";

const [path, text] = process.argv.slice(2), expected = JSON.parse(text);
const page = await open(path), inuse = () => page.locator("#measures strong").first().innerText();
const rows = await rowsOf(page, "#process-table");

assert.equal(await inuse(), expected.all);
assert.equal((await textsOf(page, "#views option"))[0], "all processes");
for (const [name, bytes] of Object.entries(expected.processes)) {
	const row = rows.find((other) => other.process === name);

	assert.equal(row["in use"], bytes);
	await page.locator("#process-table button", { hasText: name }).click();
	assert.equal(await inuse(), bytes);
	assert.equal(await page.locator("#views option:checked").innerText(), name);
	await page.locator("#views").selectOption({ label: "all processes" });
	assert.equal(await inuse(), expected.all);
}
assert.equal(await textOf(page, "#process-table caption"), `${rows.length} processes`);
await assertAccessible(page);
await close(page);

/* The page lists those of more than 1000 that matter most, and says what the others have together. */
const many = path.replace(/\.html$/, ".many.html"), rest = { count: 1500, alloc_objects: 3, alloc_space: 2048, inuse_objects: 1, inuse_space: 1024, samples: 3 };

writeFileSync(many, readFileSync(path, "utf8").replaceAll('"processes_rest":null', `"processes_rest":${JSON.stringify(rest)}`));
const crowded = await open(many), listed = await rowsOf(crowded, "#process-table");

assert.equal(await textOf(crowded, "#process-table caption"), "1 502 processes, 1 500 of them without a view of their own on this page");
assert.equal(listed.length, rows.length + 1);
assert.equal(listed.at(-1).process, "(1 500 others)");
assert.equal(listed.at(-1)["in use"], "1.0 KiB");
await close(crowded);
await end();
