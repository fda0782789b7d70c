#!/usr/bin/env -S deno run --allow-read --allow-env --allow-write --allow-sys --allow-run --allow-net
/**
 * First paint of latents' pages in Chromium, of an explorer that is running:
 *
 *     ./babelscope explore &
 *     deno run -A bench/first_paint.ts http://127.0.0.1:8765
 */
import { print } from "../lib/cli/output.ts";
import { withChromium } from "../tests/support/chromium.ts";

const PAGES = 30;
/** Run in the page, which may not have painted yet. */
const FIRST_PAINT = `new Promise((done) =>
  new PerformanceObserver((list) =>
    list.getEntriesByName("first-contentful-paint").forEach(({ startTime }) => done(startTime))
  ).observe({ type: "paint", buffered: true }))`;

const [base] = Deno.args;
if (base === undefined) throw new Error("Usage: first_paint.ts <address of an explorer>");

await withChromium(async (browser) => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const times: number[] = [];
  for (let i = 0; i <= PAGES; i++) {
    await page.goto(`${base}/feature/${i % 6}/${397 * i % 2048}`);
    times.push(await page.evaluate(FIRST_PAINT));
  }
  // The first page starts the browser's processes.
  const warm = times.slice(1).sort((a, b) => a - b);
  print(
    `first paint of ${PAGES} pages, ms: median ${warm[PAGES / 2].toFixed(0)}, ` +
      `${warm[0].toFixed(0)} to ${warm[PAGES - 1].toFixed(0)}`,
  );
});
