// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * range.mjs PAGE EXPECTED: what was in use at each moment, and what changed from one to the other. EXPECTED is JSON: {site, moments:
 * [[bytes in use, bytes allocated] of the site at each, as texts], change, allocated}: the last two from the first moment to the second.
 */
import assert from "node:assert/strict";
import { assertAccessible, boxOf, chooseMeasure, close, end, open, textOf } from "./browser.mjs";

const [path, text] = process.argv.slice(2), expected = JSON.parse(text);

/* Sliders, as a keyboard moves them: number 0 is the beginning, then come the moments. */
async function choose(page, first, last) {
	for (const [id, value] of [["last", last], ["first", first]])
		await page.locator(`#${id}`).evaluate((input, to) => {
			input.value = to;
			input.dispatchEvent(new Event("input", { bubbles: true }));
		}, value);
}

const page = await open(path);

assert.equal(await page.locator("#last").getAttribute("max"), String(expected.moments.length + 1));
for (const [at, [inuse, allocated]] of expected.moments.entries()) {
	await choose(page, 0, at + 1);
	await chooseMeasure(page, "inuse_space");
	assert.ok((await boxOf(page, expected.site).getAttribute("aria-label")).startsWith(`${expected.site}, ${inuse},`));
	await chooseMeasure(page, "alloc_space");
	assert.ok((await boxOf(page, expected.site).getAttribute("aria-label")).startsWith(`${expected.site}, ${allocated},`));
}
await choose(page, 1, 2);
assert.ok((await boxOf(page, expected.site).getAttribute("aria-label")).startsWith(`${expected.site}, ${expected.allocated},`));
await chooseMeasure(page, "inuse_space");
assert.ok((await boxOf(page, expected.site).getAttribute("aria-label")).endsWith(`, ${expected.change}`));
await page.locator("label[for=inverted]").click();
assert.ok((await boxOf(page, expected.site).getAttribute("aria-label")).endsWith(`, ${expected.change}`));
await assertAccessible(page);

/* A table that is sorted by what only a range has. */
await page.locator("#tab-functions").click();
await page.locator("#table thead button", { hasText: "change" }).click();
await page.locator("#whole").click();
assert.equal(await page.locator("#table thead th[aria-sort]").count(), 1);
assert.match(await textOf(page, "#range-text"), /whole recording/);

/* By the pointer: across all of it is the whole again, a click is a moment. */
const chart = await page.locator("#timeline svg").boundingBox();

await page.mouse.click(chart.x + chart.width - 16, chart.y + 60);
assert.match(await textOf(page, "#range-text"), /whole recording/);
await close(page);
await end();
