/** report.html in a real browser: looks, keyboard, no network, hostile text. */
import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { ReportData } from "../lib/report/report_data.ts";
import { renderReport } from "../lib/report/render_report.ts";
import { demoReport } from "./fixtures/report/demo.ts";
import { hostileReport } from "./fixtures/report/hostile.ts";
import { withChromium } from "./support/chromium.ts";

interface Visit {
  readonly page: Page;
  /** Console messages, page errors, dialogs, and requests other than for the page itself. */
  readonly incidents: string[];
}

async function visit(
  browser: Browser,
  data: ReportData,
  look: (visit: Visit) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".html" });
  await Deno.writeTextFile(file, renderReport(data));
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const incidents: string[] = [];
    page.on("console", (message) => incidents.push(message.text()));
    page.on("pageerror", (error) => incidents.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== `file://${file}`) incidents.push(request.url());
    });
    page.on("dialog", (dialog) => {
      incidents.push(dialog.message());
      dialog.dismiss();
    });
    await page.goto(`file://${file}`);
    await look({ page, incidents });
  } finally {
    await context.close();
    await Deno.remove(file);
  }
}

/** WCAG contrast of an element's text with what it is painted on, blended from its ancestors. */
const CONTRAST = `(element) => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  paint.fillRect(0, 0, 1, 1);
  const layers = [];
  for (let e = element; e; e = e.parentElement) layers.unshift(getComputedStyle(e).backgroundColor);
  const luminance = () => {
    const [r, g, b] = Array.from(paint.getImageData(0, 0, 1, 1).data, (v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const put = (colour) => { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); };
  layers.forEach(put);
  const below = luminance();
  put(getComputedStyle(element).color);
  const text = luminance();
  return (Math.max(below, text) + 0.05) / (Math.min(below, text) + 0.05);
}`;

/** The darkest cell, the strongest highlight and all kinds of muted text. */
const READABLE = [
  ".finding",
  ".how p",
  "dt",
  "figcaption p",
  ".layers thead th",
  ".shade[style*='100.0%']",
  "mark.a10",
  "mark.a5",
  ".facts",
  ".examples small",
  ".strip .other",
  ".middle",
  "summary",
  ".chips small",
];

Deno.test("report.html in Chromium", async (t) => {
  await withChromium(async (browser) => {
    const step = (name: string, look: (visit: Visit) => Promise<void>, options = {}) =>
      t.step(name, () => visit(browser, demoReport(), look, options));
    await step("shows its main parts, silently and without a request", mainParts);
    await step("the heat map holds the oracle's counts", heatMap);
    await step("examples carry their language and keep their text", examples);
    for (const width of [400, 1200]) {
      const fits = (visit: Visit) => nothingSticksOut(visit, width);
      await step(`nothing sticks out at ${width} pixels`, fits, {
        viewport: { width, height: 900 },
      });
    }
    for (const colorScheme of ["light", "dark"]) {
      await step(`text has a contrast of at least 4.5 in ${colorScheme} colours`, contrast, {
        colorScheme,
      });
    }
    await step("the filter works from the keyboard and links undo it", filter);
    await step("a link to a folded card unfolds it", foldedCard);
    await step("without scripts everything is there and no dead control", withoutScripts, {
      javaScriptEnabled: false,
    });
    await step("the policy stops a script that is not the page's own", policy);
    await t.step(
      "hostile text is shown as text",
      () => visit(browser, hostileReport(), hostileText, { viewport: { width: 400, height: 900 } }),
    );
  });
});

async function mainParts({ page, incidents }: Visit) {
  assert.match(await page.title(), /Language-specific features/);
  for (const part of ["h1", ".finding", ".how", ".layers", ".shares", ".entropy", "footer"]) {
    assert.ok(await page.locator(part).isVisible(), part);
  }
  assert.equal(await page.locator("section.language").count(), 15);
  assert.equal(await page.locator("svg.lane").count(), 16);
  assert.equal(await page.locator("article.feature").count(), 15 * 8);
  assert.deepEqual(incidents, []);
}

async function heatMap({ page }: Visit) {
  const row = page.locator(".layers tbody tr", { hasText: "Bulgarian" });
  const cells = await row.locator("td").allTextContents();
  // identify.json, "paper", Bulgarian: counted per layer by hand.
  assert.deepEqual(cells.map((cell) => cell.trim()), ["5", "·", "·", "8", "6", "6", "25"]);
}

async function examples({ page }: Visit) {
  const thai = page.locator("#th .examples p").first();
  assert.equal(await thai.getAttribute("lang"), "th");
  assert.equal(await thai.getAttribute("dir"), "ltr");
  assert.match(await thai.innerText(), /ที่เป็นการจำเป็นอย่างยิ่ง/);
  assert.ok(await thai.locator("mark").count() > 5);
}

async function nothingSticksOut({ page }: Visit, width: number) {
  await page.locator("#unfold").click();
  const needed = await page.evaluate<number>("document.documentElement.scrollWidth");
  assert.ok(needed <= width, `${needed} pixels wide`);
}

async function contrast({ page }: Visit) {
  for (const selector of READABLE) {
    const element = `document.querySelector(${JSON.stringify(selector)})`;
    const found = await page.evaluate<number>(`(${CONTRAST})(${element})`);
    assert.ok(found >= 4.5, `${selector}: ${found.toFixed(2)}`);
  }
}

async function filter({ page }: Visit) {
  await page.locator("#filter").focus();
  for (let row = 0; row < 3; row++) await page.keyboard.press("ArrowDown");
  const shown = page.locator("section.language:visible");
  assert.deepEqual(await shown.locator("h3").allTextContents(), ["Thai"]);
  await page.locator(".layers a", { hasText: "Korean" }).click();
  assert.equal(await shown.count(), 15);
}

async function foldedCard({ page }: Visit) {
  const card = page.locator("#de details article.feature").last();
  assert.equal(await card.isVisible(), false);
  await page.evaluate(`location.hash = "${await card.getAttribute("id")}"`);
  await card.waitFor({ state: "visible" });
}

async function withoutScripts({ page }: Visit) {
  assert.equal(await page.locator("section.language:visible").count(), 15);
  assert.equal(await page.locator(".controls").isVisible(), false);
  await page.locator("#th summary").first().click();
  assert.ok(await page.locator("#th article.feature").last().isVisible());
}

async function policy({ page, incidents }: Visit) {
  await page.evaluate(`{
    const script = document.createElement("script");
    script.textContent = "globalThis.intruder = true";
    document.body.append(script);
  }`);
  assert.equal(await page.evaluate("globalThis.intruder"), undefined);
  assert.match(incidents.join(), /Content Security Policy/);
}

async function hostileText({ page, incidents }: Visit) {
  await page.locator("#unfold").click();
  assert.deepEqual(incidents, []);
  assert.equal(await page.locator("script").count(), 1);
  const active = "img, iframe, object, [onerror], [onmouseover], [onfocus], [autofocus]";
  assert.equal(await page.locator(active).count(), 0);
  const body = await page.locator("body").innerText();
  assert.ok(body.includes("<img src=x onerror=alert(1)>"));
  assert.ok(body.includes("</script><script>alert(2)</script>"));
  assert.ok(body.includes("⟨U+202E⟩gnp.exe"));
  assert.ok(body.includes("1,048,576 characters"));
  assert.equal(body.search(/[\p{Bidi_Control}\p{Cs}]/u), -1);
  assert.ok(!body.includes("\x1b"));
  assert.ok(await page.evaluate<number>("document.documentElement.scrollWidth") <= 400);
  const direction = 'getComputedStyle(document.querySelector("#ar .examples p")).direction';
  assert.equal(await page.evaluate(direction), "rtl");
}
