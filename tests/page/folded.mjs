// SPDX-License-Identifier: GPL-2.0-or-later
/* folded.mjs PAGE SITES: of so many sites those that matter are shown, first a hundred; the others are one row, which is last in any order. */
import assert from "node:assert/strict";
import { close, end, open, textOf } from "./browser.mjs";

const [path, text] = process.argv.slice(2), count = Number(text), page = await open(path);
const rows = page.locator("#table tbody tr"), others = `(${(count - 500).toString().replace(/\B(?=(\d{3})+$)/g, " ")} others)`;

assert.match(await textOf(page, "#table caption"), new RegExp(`^500 of ${count.toString().replace(/\B(?=(\d{3})+$)/g, " ")} sites`));
assert.equal(await rows.count(), 100);
await page.locator("#table button.more", { hasText: "Show 401 more" }).click();
assert.equal(await rows.count(), 501);
for (const head of await page.locator("#table thead button").all()) {
	await head.click();
	assert.ok((await rows.last().innerText()).startsWith(others));
}
assert.ok(await page.locator('.box[aria-label*=" smaller)"]').count() > 0);
await close(page);
await end();
