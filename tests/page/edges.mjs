// SPDX-License-Identifier: GPL-2.0-or-later
/* edges.mjs PAGE EXPECTED: a page like any other, in all that can be done with it. EXPECTED is JSON: {total: bytes in use, as text}. */
import assert from "node:assert/strict";
import { close, end, open, textOf } from "./browser.mjs";
import { NO_FIGURE, tour } from "./tour.mjs";

const [path, text] = process.argv.slice(2), { total } = JSON.parse(text);
const page = await open(path);

assert.equal(await page.locator("#measures strong").first().innerText(), total);
await tour(page);
await close(page);

const plain = await open(path, { script: false });

assert.ok((await textOf(plain, "noscript table tbody tr:first-child")).startsWith(`all ${total}`));
assert.doesNotMatch(await textOf(plain, "noscript"), NO_FIGURE);
assert.equal(await plain.locator("#page").isVisible(), false);
await close(plain);
await end();
