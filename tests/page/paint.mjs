// SPDX-License-Identifier: GPL-2.0-or-later
/* paint.mjs PAGE: prints after how many milliseconds the first picture is there. */
import { close, end, open } from "./browser.mjs";

const page = await open(process.argv[2], { gpu: true });

process.stdout.write(`${(await page.evaluate(() => new Promise((done) => {
	const look = () => performance.getEntriesByName("first-contentful-paint")[0] ? done(performance.getEntriesByName("first-contentful-paint")[0].startTime)
		: requestAnimationFrame(look);

	look();
}))).toFixed(0)}\n`);
await close(page);
await end();
