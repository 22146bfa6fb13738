// SPDX-License-Identifier: GPL-2.0-or-later
/* empty.mjs PAGE: of a process that allocated nothing; the page says that there is nothing, and has nothing else. */
import assert from "node:assert/strict";
import { close, end, open, rowsOf, textOf, textsOf } from "./browser.mjs";
import { tour } from "./tour.mjs";

const [path] = process.argv.slice(2), page = await open(path);

assert.deepEqual(await textsOf(page, "#measures strong"), ["0 B", "0", "0 B", "0"]);
assert.deepEqual(await textsOf(page, "#verdicts li"), ["no site is known to grow"]);
assert.equal(await textOf(page, "#empty"), "Nothing of this measure.");
assert.equal(await page.locator(".box").count(), 1);
assert.equal(await textOf(page, "#box-figures"), "0 B in use \u00b7 0 samples");
assert.deepEqual(await rowsOf(page, "#table"), []);
assert.equal(await textOf(page, "#table caption"), "0 of 0 sites, by where the program allocates");
await tour(page);
await close(page);

const plain = await open(path, { script: false });

assert.equal(await plain.locator("noscript table tbody tr").count(), 1);
await close(plain);
await end();
