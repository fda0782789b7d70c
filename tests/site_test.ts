/** babelscope build-site as a whole: a site that any web server hands out, with the model in the browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { readJson } from "../lib/data/files.ts";
import { NO_GPU, SOFTWARE_WEBGPU, withChromium } from "./support/chromium.ts";
import { type ServedFiles, withFileServer } from "./support/file_server.ts";
import { filesUnder } from "./support/folders.ts";
import { runScript, withFolder } from "./support/run.ts";

const TEXT = "Alle Menschen sind frei und gleich an Würde und Rechten geboren.";
const HOOKPOINTS = ["--layer", "layers.5.mlp"];
const LANGUAGES = ["--dataset-configs", "udhr:{en,de,th}:train:0:20"];

/** Milliseconds that a page may take: the model's kernels are compiled and run on the processor. */
const PATIENCE = 120_000;

/** Where the site lies on its host. */
const BELOW = "/some/path/";

async function succeed(script: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runScript(script, args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Names of the features, as pages show them, that check-active finds in the text. */
async function expectedFeatures(results: string): Promise<string[]> {
  const args = ["--out-dir", results, "--text", TEXT, ...HOOKPOINTS];
  await succeed("check-active", ...args);
  const path = join(results, "active_features/result.json");
  const [{ features }] = await readJson(path) as {
    features: Record<string, Record<string, Record<string, { readonly tokens: string[] }>>>;
  }[];
  const names = Object.entries(features).flatMap(([hookpoint, languages]) =>
    Object.values(languages).flatMap((own) =>
      Object.entries(own)
        .filter(([, { tokens }]) => tokens.some((token) => token !== "<|begin_of_text|>"))
        .map(([index]) => `${hookpoint.split(".")[1]} · ${index}`)
    )
  );
  return [...new Set(names)].sort();
}

/** Opens pages of a site, and holds against it what goes wrong on them and where else it asks. */
class Visit {
  readonly problems: string[] = [];

  constructor(readonly browser: Browser, readonly root: string) {}

  async open(route: string): Promise<Page> {
    const page = await this.browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", ({ message }) => this.problems.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(message.text());
    });
    page.on("request", (request) => {
      const url = request.url().replace(/^blob:/, "");
      const own = url.startsWith(new URL(this.root).origin) || url.startsWith("data:");
      if (!own) this.problems.push(`asked ${url}`);
    });
    await page.goto(`${this.root}#${route}`);
    return page;
  }
}

/** Visits a site with a browser of its own. */
async function visit(
  folder: string,
  graphics: readonly string[],
  use: (visit: Visit) => Promise<void>,
  more: ServedFiles = {},
): Promise<string[]> {
  let problems: string[] = [];
  await withFileServer(folder, (root) =>
    withChromium(async (browser) => {
      const visit = new Visit(browser, root);
      await use(visit);
      problems = visit.problems;
    }, graphics), { below: BELOW, more });
  return problems;
}

async function textOf(page: Page, selector: string): Promise<string> {
  return await page.locator(selector).first().innerText();
}

async function readsRecordedPages(visited: Visit): Promise<void> {
  const overview = await visited.open("/");
  await overview.getByRole("link", { name: "German" }).first().click();
  await overview.locator("h1", { hasText: "Features" }).waitFor();
  const feature = overview.getByRole("link", { name: /^5 · \d+$/ }).first();
  await feature.click();
  await overview.getByRole("heading", { name: "Strongest contexts" }).waitFor();
  await overview.locator(".contexts li").first().waitFor();
  assert.match(await textOf(overview, ".contexts li"), /\S/);
  await overview.close();
}

Deno.test("a site shows the results and runs the model in the browser, or says why it does not", () =>
  withFolder(async (folder) => {
    const [results, site] = [join(folder, "results"), join(folder, "site")];
    const quick = ["--bootstrap", "0", "--permutations", "0", "--no-guard"];
    await succeed("identify", "--out-dir", results, ...HOOKPOINTS, ...LANGUAGES, ...quick);
    const expected = await expectedFeatures(results);
    assert.ok(expected.length > 0);
    const build = ["--out-dir", results, "--site-dir", site, "--latents", "identified"];
    const stdout = await succeed("build-site", ...build);

    const files = await filesUnder(site);
    assert.match(stdout, new RegExp(`is a site of ${files.length - 1} files, [0-9.]+ MB`));
    assert.match(stdout, /Model and SAEs are 5\.8 MB/);
    const run = await readJson(join(site, "run.json")) as { step: string; files: number };
    assert.deepEqual([run.step, run.files], ["build-site", files.length - 1]);

    const live = await visit(site, SOFTWARE_WEBGPU, async (visited) => {
      await readsRecordedPages(visited);
      const trying = await visited.open(`/try?text=${encodeURIComponent(TEXT)}`);
      await trying.locator(".fired").waitFor();
      const all = trying.getByRole("button", { name: /^All \d+$/ });
      if (await all.count() > 0) await all.click();
      const found = await trying.locator(".fired tbody tr td:first-child").allInnerTexts();
      assert.deepEqual(found.map((name) => name.trim()).sort(), expected);
      assert.ok(await trying.locator("#notice").isHidden());

      const [layer, index] = expected[0].split(" · ");
      const steering = `/steer?features=${layer}.${index}:2&prompt=All&tokens=5`;
      const writing = await visited.open(steering);
      await writing.locator("form.live button[type=submit]").click();
      await writing.locator(".written p").nth(1).filter({ hasText: /All\s*\S/ }).waitFor();
    });
    assert.deepEqual(live, []);

    const recorded = await visit(site, NO_GPU, async (visited) => {
      await readsRecordedPages(visited);
      const trying = await visited.open("/try");
      await trying.locator("main .problem").waitFor();
      assert.match(
        await textOf(trying, "main .problem"),
        /no (WebGPU|GPU), so texts cannot be tried/,
      );
      assert.match(
        await textOf(trying, "#notice"),
        /Everything else is here as it was recorded\.$/,
      );
    });
    assert.deepEqual(recorded, []);

    const changed = { "model/config.json": "{}" };
    await visit(site, SOFTWARE_WEBGPU, async (visited) => {
      const trying = await visited.open(`/try?text=${encodeURIComponent(TEXT)}`);
      await trying.locator("form.live .problem").waitFor();
      assert.match(
        await textOf(trying, "form.live .problem"),
        /^model\/config\.json could not be fetched, or is not what was published/,
      );
    }, changed);
  }));

Deno.test("build-site refuses a folder with other files before any work is done", () =>
  withFolder(async (folder) => {
    const [results, other] = [join(folder, "results"), join(folder, "other")];
    await Deno.mkdir(other);
    await Deno.writeTextFile(join(other, "thesis.tex"), "");
    const args = ["--out-dir", results, "--site-dir", other];
    const { code, stderr } = await runScript("build-site", args);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /other holds other files \(thesis\.tex\); name an empty folder.*--site-dir\.$/m,
    );
    assert.deepEqual(await filesUnder(folder), ["other/thesis.tex"]);
  }));
