/** report.html in a real browser: looks, keyboard, pointer, files, no network, hostile text. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { figureCsv } from "../lib/report/figure_csv.ts";
import { hostilePage } from "./fixtures/report/hostile.ts";
import { countsFigure, demoPage, pageOf, smallPage } from "./fixtures/report/page.ts";
import { withChromium } from "./support/chromium.ts";

interface Visit {
  readonly page: Page;
  /** Console messages, page errors, dialogs, and requests other than for the page itself. */
  readonly incidents: string[];
}

async function visit(
  browser: Browser,
  html: string,
  look: (visit: Visit) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".html" });
  await Deno.writeTextFile(file, html);
  const context = await browser.newContext(options);
  try {
    const page = await context.newPage();
    const incidents: string[] = [];
    page.on("console", (message) => incidents.push(message.text()));
    page.on("pageerror", (error) => incidents.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (url !== `file://${file}` && !/^(data|blob):/.test(url)) incidents.push(url);
    });
    page.on("dialog", (dialog) => {
      incidents.push(dialog.message());
      dialog.dismiss();
    });
    await page.goto(`file://${file}`);
    if (options.javaScriptEnabled !== false) await page.locator(".controls").waitFor();
    await look({ page, incidents });
  } finally {
    await context.close();
    await Deno.remove(file);
  }
}

Deno.test("report.html in Chromium", async (t) => {
  const html = await pageOf(demoPage());
  const small = await pageOf(smallPage());
  const hostile = await pageOf(hostilePage());
  await withChromium(async (browser) => {
    const step = (
      name: string,
      look: (visit: Visit) => Promise<void>,
      options: BrowserContextOptions = {},
      content = html,
    ) => t.step(name, () => visit(browser, content, look, options));
    await step("shows its main parts, silently and without a request", mainParts);
    await step("examples carry their language and keep their text", examples);
    for (const width of [400, 800, 1280]) {
      const fits = (visit: Visit) => nothingSticksOut(visit, width);
      await step(`nothing sticks out at ${width} pixels`, fits, {
        viewport: { width, height: 900 },
      });
    }
    for (const [colorScheme, width] of [["light", 1280], ["dark", 400]] as const) {
      const options = { colorScheme, viewport: { width, height: 900 } };
      const name = `axe finds nothing at ${width} pixels in ${colorScheme} colours`;
      await step(name, accessible, options, small);
    }
    await step("a language is chosen from the keyboard, and links undo it", languages);
    await step("a layer is chosen, and what is not of it is not drawn", layers);
    await step(
      "a search finds tokens, texts, explanations and places, folded away or not",
      searches,
    );
    await step("a figure says what is under the pointer", pointer, {}, small);
    await step("a figure is saved as CSV, SVG and PNG, as far as it is chosen", files, {}, small);
    await step("a figure's table has its numbers", tables, {}, small);
    await step(
      "the contents follow the reader, and lead on from the keyboard",
      contents,
      {},
      small,
    );
    await step("a link to a folded card unfolds it", foldedCard);
    await step("on paper there are figures and no controls", paper, {}, small);
    await step("without scripts everything is there and no dead control", withoutScripts, {
      javaScriptEnabled: false,
    });
    await step("the policy stops a script that is not the page's own", policy, {}, small);
    const narrow = { viewport: { width: 400, height: 900 } };
    await step("hostile text is shown as text", hostileText, narrow, hostile);
  });
});

/** Waits for the page's next drawing; its policy forbids what waits within a page. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !await condition(); tries++) {
    assert.ok(tries < 100, `waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function mainParts({ page, incidents }: Visit) {
  assert.match(await page.title(), /Language-specific features/);
  const headings = await page.locator(".part > h2").allTextContents();
  assert.deepEqual(headings, [
    "The paper’s claims",
    "Features",
    "Each language’s strongest features",
    "How sure they are",
    "What they stand for",
    "Perplexity",
    "Steering",
    "Classification",
    "Evaluation",
    "How it was made",
  ]);
  for (const part of ["h1", ".finding", ".how", ".claims", "#counts svg", "#owners svg"]) {
    assert.ok(await page.locator(part).isVisible(), part);
  }
  assert.equal(await page.locator("section.language").count(), 15);
  assert.equal(await page.locator("article.feature").count(), 15 * 8);
  assert.deepEqual(incidents, []);
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

async function accessible({ page }: Visit) {
  for (const id of ["counts", "owners"]) await page.locator(`#${id} summary`).click();
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: axe.Result[] }>("axe.run()");
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
  );
  assert.deepEqual(found, []);
}

const shownLanguages = (page: Page) =>
  page.locator("section.language:visible h3").allTextContents();
/** Bars that are drawn in the figure of counts. */
const bars = (page: Page) => page.locator("#counts svg [data-part='bar'] rect");

async function languages({ page }: Visit) {
  await page.locator("#counts").scrollIntoViewIfNeeded();
  await page.locator("#language").focus();
  await page.keyboard.type("Thai");
  assert.deepEqual(await shownLanguages(page), ["Thai"]);
  assert.match(await page.locator("#found").innerText(), /^73 of 769 features$/);
  await bars(page).nth(5).waitFor();
  assert.equal(await bars(page).count(), 6, "one panel of six layers");
  assert.ok(await page.locator("#owners svg").isVisible(), "is of no language");
  await page.locator(".chips a", { hasText: "Korean" }).click();
  assert.equal((await shownLanguages(page)).length, 15);
  assert.equal(await page.locator("#language").inputValue(), "");
}

async function layers({ page }: Visit) {
  await page.locator("#counts").scrollIntoViewIfNeeded();
  await page.locator("#layer").selectOption("5");
  await until(async () => await bars(page).count() === 15);
  const shown = await page.locator("article.feature:not([hidden]) h4").allTextContents();
  assert.ok(shown.length > 10);
  for (const title of shown) assert.match(title, /^Layer 5 /);
  await page.locator("#language").selectOption("Spanish");
  assert.equal(await bars(page).count(), 1);
  await page.locator("#reset").click();
  assert.equal((await shownLanguages(page)).length, 15);
  assert.equal(await page.evaluate("document.activeElement.id"), "search");
}

async function searches({ page }: Visit) {
  const features = async (words: string) => {
    await page.locator("#search").fill(words);
    const found = page.locator("[data-feature]:visible");
    const names = await found.evaluateAll((items) =>
      items.map((item) => (item as unknown as { dataset: { feature: string } }).dataset.feature)
    );
    return [...new Set(names)];
  };
  const hindi = await features("मानव");
  assert.ok(hindi.length > 0);
  assert.deepEqual(await shownLanguages(page), ["Hindi"]);
  assert.deepEqual(await features("TOPIC particles"), ["5/387"], "in an explanation");
  assert.deepEqual(await features("5/387"), ["5/387"], "by its place");
  assert.deepEqual(await features("no such thing"), []);
  assert.equal(await page.locator("#found").innerText(), "0 of 769 features");
  const folded = page.locator("#th details article.feature").last();
  const words = await folded.locator("[data-searched]").last().innerText();
  assert.equal(await folded.isVisible(), false);
  await features(words.split(/[\s…]+/).find((word) => word.length > 8) ?? "");
  assert.ok(await folded.isVisible(), "is unfolded");
  await features("");
  assert.equal(await folded.isVisible(), false, "is folded again");
}

async function pointer({ page }: Visit) {
  await page.locator("#counts").scrollIntoViewIfNeeded();
  const tip = page.locator("#counts svg :is([aria-label='tip'], [data-part='tip'])");
  let at = 2;
  await until(async () => {
    // the drawing that answers takes the place of the one that the page has before
    await bars(page).first().hover({ position: { x: at++ % 10, y: 3 } });
    return await tip.count() > 0 && await tip.textContent() !== "";
  });
  assert.match(await tip.textContent() ?? "", /language: Bulgarian.*layer: 0.*features: 5/s);
}

/** What the browser saves at the click on a button. */
async function saved(page: Page, format: string): Promise<Uint8Array<ArrayBuffer>> {
  const waiting = page.waitForEvent("download");
  await page.locator(`#counts [data-save=${format}]`).click();
  const download = await waiting;
  assert.equal(download.suggestedFilename(), `counts.${format}`);
  return await Deno.readFile(await download.path());
}

async function files({ page, incidents }: Visit) {
  const text = async (format: string) => new TextDecoder().decode(await saved(page, format));
  assert.equal(await text("csv"), figureCsv(countsFigure()));
  const svg = await text("svg");
  assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.doesNotMatch(svg, /light-dark|var\(/, "no page gives it colours");
  assert.match(svg, />Vietnamese</);
  const png = await saved(page, "png");
  assert.deepEqual([...png.slice(1, 4)], [...new TextEncoder().encode("PNG")]);
  assert.equal(new DataView(png.buffer).getUint32(16), 1800, "twice as sharp");
  const size = await page.evaluate<number>(`(async () => {
    const bytes = Uint8Array.from(atob("${
    btoa(String.fromCharCode(...png))
  }"), (c) => c.charCodeAt(0));
    const { width, height } = await createImageBitmap(new Blob([bytes]));
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(await createImageBitmap(new Blob([bytes])), 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
  })()`);
  assert.ok(size > 3, "something is painted");
  await page.locator("#language").selectOption("Chinese");
  const rows = countsFigure().rows.filter(({ language }) => language === "Chinese");
  assert.equal(await text("csv"), figureCsv({ rows }));
  assert.deepEqual(incidents, []);
}

async function tables({ page }: Visit) {
  await page.locator("#counts summary").click();
  const lines = page.locator("#counts tbody tr");
  await until(async () => await lines.count() === 90);
  assert.deepEqual(await lines.first().locator("td").allTextContents(), ["Bulgarian", "0", "5"]);
  await page.locator("#language").selectOption("English");
  assert.equal(await lines.count(), 6);
}

async function contents({ page }: Visit) {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.className"), "skip");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.textContent"), "The paper’s claims");
  const link = page.locator(".contents a", { hasText: "Steering" });
  await link.focus();
  await page.keyboard.press("Enter");
  await until(async () =>
    await page.locator(".contents [aria-current]").innerText() === "Steering"
  );
  assert.ok(await page.locator("#steering").isVisible());
}

async function foldedCard({ page }: Visit) {
  const card = page.locator("#de details article.feature").last();
  assert.equal(await card.isVisible(), false);
  await page.evaluate(`location.hash = "${await card.getAttribute("id")}"`);
  await card.waitFor({ state: "visible" });
}

async function paper({ page }: Visit) {
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  for (const part of ["#counts svg", ".claims", "#bg .examples"]) {
    assert.ok(await page.locator(part).first().isVisible(), part);
  }
  for (const part of [".contents", ".controls", ".tools", ".chips"]) {
    assert.equal(await page.locator(part).first().isVisible(), false, part);
  }
  const ink = await page.evaluate("getComputedStyle(document.body).color");
  assert.equal(ink, "rgb(29, 29, 32)", "dark on white, whatever the screen");
}

async function withoutScripts({ page }: Visit) {
  assert.equal((await shownLanguages(page)).length, 15);
  for (const part of [".controls", ".tools"]) {
    assert.equal(await page.locator(part).first().isVisible(), false, part);
  }
  assert.equal(await bars(page).count(), 90);
  assert.match(await page.locator("#counts svg").textContent() ?? "", /Bulgarian.*Vietnamese/s);
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
  for (const chosen of ["<img src=x onerror=alert(1)>", ""]) {
    await page.locator("#language").selectOption(chosen);
  }
  await page.locator("#search").fill("<script>");
  await page.locator("#search").fill("");
  assert.deepEqual(incidents, []);
  assert.equal(await page.locator("script").count(), 2);
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
