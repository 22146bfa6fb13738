// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * many.mjs PAGE TOTAL: a page of very many sites shows the whole, and what is too small to see is in boxes that say so. What is seen of it at
 * the first glance is the same; it is all that a page shows that is cut off, and it says so.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { boxOf, close, end, open, rowsOf, textOf, textsOf } from "./browser.mjs";
import { tour } from "./tour.mjs";

const [path, total] = process.argv.slice(2);
const cutPath = path.replace(/\.html$/, ".cut.html"), text = readFileSync(path);

writeFileSync(cutPath, text.subarray(0, text.length * 0.8));
const page = await open(path), smaller = page.locator('.box[aria-label*=" smaller)"]');

assert.ok((await boxOf(page, "all").getAttribute("aria-label")).startsWith(`all, ${total}, 100.0%`));
assert.ok(await page.locator(".box").count() < 20000);
assert.ok(await smaller.count() > 0);
const rows = await rowsOf(page, "#table"), cards = await textsOf(page, "#measures label");

await page.locator("#tab-functions").click();
await close(page);

const cut = await open(cutPath), first = (await rowsOf(cut, "#table")).slice(0, -1);

assert.match(await textOf(cut, "#verdicts"), /^this file is cut off/);
assert.ok((await boxOf(cut, "all").getAttribute("aria-label")).startsWith(`all, ${total}, 100.0%`));
assert.deepEqual(await textsOf(cut, "#measures label"), cards);
assert.ok(first.length > 10);
assert.deepEqual(first, rows.slice(0, first.length));
await tour(cut);
await close(cut);
await end();
