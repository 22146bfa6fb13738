// SPDX-License-Identifier: GPL-2.0-or-later
/* served.mjs URL BYTES: the page that heaptap serves of a process that runs; it has so many bytes in use now, all of them keep's. */
import assert from "node:assert/strict";
import { assertAccessible, boxOf, close, end, open, textOf } from "./browser.mjs";

const [url, bytes] = process.argv.slice(2);
const page = await open(url);

assert.equal(await page.locator("#measures strong").first().innerText(), bytes);
assert.match(await textOf(page, "#about"), /still running/);
assert.ok((await boxOf(page, "keep").getAttribute("aria-label")).startsWith(`keep, ${bytes},`));
await assertAccessible(page);
await close(page);
await end();
