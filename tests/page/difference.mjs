// SPDX-License-Identifier: GPL-2.0-or-later
/* difference.mjs PAGE EXPECTED: two profiles. EXPECTED is JSON: {before, after, sites: {name: [state, change, A, B]}, card}. */
import assert from "node:assert/strict";
import { assertAccessible, boxOf, close, end, open, rowsOf, textOf, textsOf } from "./browser.mjs";

const [path, text] = process.argv.slice(2), expected = JSON.parse(text);
const page = await open(path);
const rows = await rowsOf(page, "#table");

assert.match(await textOf(page, "#sides"), new RegExp(`^A before: ${expected.before},.* B after: ${expected.after},`));
assert.ok(((await textsOf(page, "#measures label"))[0]).includes(expected.card));
assert.equal(await textOf(page, "#table caption"), `${rows.length} of ${rows.length} sites listed, A before and B after`);
for (const [name, [state, change, before, after]] of Object.entries(expected.sites)) {
	const row = rows.find((other) => other.site.startsWith(name));

	assert.deepEqual([row.state.slice(2), row.change, row.A, row.B], [state, change, before, after]);
	await page.locator("#kept button", { hasText: state }).click();
	assert.ok((await rowsOf(page, "#table")).every((other) => other.state.endsWith(state)));
	assert.equal(await boxOf(page, name).count(), after === "\u2013" ? 0 : 1);
	await page.locator("#kept button", { hasText: "all" }).click();
}
/* Inverted, a site is below the root, with the same change. */
await page.locator("label[for=inverted]").click();
for (const [name, [, change, , after]] of Object.entries(expected.sites))
	if (after !== "\u2013")
		assert.ok((await boxOf(page, name).getAttribute("aria-label")).endsWith(`, ${change}`));
await assertAccessible(page);
await close(page);
await end();
