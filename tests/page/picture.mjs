// SPDX-License-Identifier: GPL-2.0-or-later
/* picture.mjs PAGE SITE PNG: what the page looks like, with that site chosen. */
import { boxOf, close, end, open } from "./browser.mjs";

const [path, site, png] = process.argv.slice(2);
const page = await open(path, { width: 1280 });

await page.locator("#table tbody button", { hasText: site }).first().click();
await boxOf(page, site).hover();
await page.screenshot({ path: png, fullPage: true });
await close(page);
await end();
