// SPDX-License-Identifier: GPL-2.0-or-later
/* many.mjs PAGE TOTAL: a page of very many sites shows the whole, and what is too small to see is in boxes that say so. */
import assert from "node:assert/strict";
import { boxOf, close, end, open } from "./browser.mjs";

const [path, total] = process.argv.slice(2);
const page = await open(path), smaller = page.locator('.box[aria-label*=" smaller)"]');

assert.ok((await boxOf(page, "all").getAttribute("aria-label")).startsWith(`all, ${total}, 100.0%`));
assert.ok(await page.locator(".box").count() < 20000);
assert.ok(await smaller.count() > 0);
await page.locator("#tab-functions").click();
await close(page);
await end();
