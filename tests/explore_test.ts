/** explore, whole: identify → index → server → Chromium. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { writeTable } from "../lib/data/tables.ts";
import { readCounts } from "../lib/count/count_files.ts";
import type {
  Context,
  FeatureDetail,
  FeatureList,
  Overview,
  Steered,
  Tried,
} from "../lib/explore/backend.ts";
import type { RunLine } from "../lib/explore/pages/http_backend.ts";
import { withChromium } from "./support/chromium.ts";
import { writeCorpus } from "./support/folders.ts";
import { ROOT, runScript, withFolder } from "./support/run.ts";

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert(2)">`;
const ARABIC = [
  "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق.",
  "وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء.",
  "لكل إنسان حق التمتع بكافة الحقوق والحريات الواردة في هذا الإعلان.",
  "لكل فرد الحق في الحياة والحرية وسلامة شخصه.",
  "لا يجوز \u202egnp.exe\u202c <img src=x onerror=alert(3)> أي شخص",
  "لكل إنسان أينما وجد الحق في أن يعترف بشخصيته القانونية.",
];

/** What interpret would leave of one latent, and of a control that is the same latent's. */
async function writeInterpretations(
  folder: string,
  layer: number,
  latent: number,
): Promise<void> {
  const latents = {
    group: ["identified", "random"],
    hookpoint: [`layers.${layer}.mlp`, `layers.${layer}.mlp`],
    layer: [layer, layer],
    latent: [latent, latent],
    languages: ["Arabic", ""],
  };
  await writeTable(join(folder, "explanations"), {
    ...latents,
    explanation: [`Arabic words ${HOSTILE}`, "of a control"],
    problem: [null, null],
    active_windows: [3, 3],
    windows: [10, 10],
  });
  const metrics = { accuracy: 0.875, f1_score: 0.75, precision: 0.625, recall: 0.9375 };
  await writeTable(join(folder, "scores"), {
    ...latents,
    scorer: ["detection", "detection"],
    main_metric: ["accuracy", "accuracy"],
    predictions: [40, 40],
    failed: [0, 0],
    ...Object.fromEntries(
      Object.entries(metrics).flatMap(([name, value]) => [
        [name, [value, 0.111]],
        [`${name}_low`, [value - 0.05, 0]],
        [`${name}_high`, [value + 0.05, 1]],
      ]),
    ),
  });
  await Deno.writeTextFile(join(folder, "summary.json"), JSON.stringify({ scorers: [] }));
}

/** A server of the results, for the length of `use`. */
async function withServer(
  results: string,
  use: (base: string) => Promise<void>,
): Promise<{ code: number; stderr: string }> {
  const child = new Deno.Command(`${ROOT}scripts/explore.ts`, {
    args: ["--out-dir", results, "--port", "0"],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let said = "";
    while (!said.includes("\n")) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`the server ended: ${await stderr}`);
      said += value;
    }
    const [, base] = /(http:\/\/127\.0\.0\.1:\d+)\//.exec(said) ?? [];
    assert.ok(base, said);
    await use(base);
  } finally {
    try {
      child.kill("SIGINT");
    } catch {
      // it has ended
    }
    await lines.cancel();
  }
  const { code } = await child.status;
  return { code, stderr: await stderr };
}

interface Visit {
  readonly page: Page;
  /** Console messages, page errors, dialogs, and requests to elsewhere. */
  readonly incidents: string[];
}

async function visit(
  browser: Browser,
  base: string,
  address: string,
  look: (visit: Visit) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  try {
    const page = await context.newPage();
    const incidents: string[] = [];
    page.on("console", (message) => incidents.push(message.text()));
    page.on("pageerror", (error) => incidents.push(error.message));
    page.on("dialog", (dialog) => {
      incidents.push(dialog.message());
      dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(`${base}/`)) incidents.push(request.url());
    });
    await page.goto(base + address);
    if (options.javaScriptEnabled !== false) await page.locator("#explorer[data-ready]").waitFor();
    await look({ page, incidents });
    assert.deepEqual(incidents, []);
  } finally {
    await context.close();
  }
}

async function accessible({ page }: Visit): Promise<void> {
  if (page.url().includes("/try")) await page.locator(".fired").waitFor();
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: axe.Result[] }>("axe.run()");
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
  );
  assert.deepEqual(found, []);
  const overhang = await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  assert.ok(overhang <= 0, `${overhang} pixels stick out`);
}

async function answer<T>(base: string, path: string): Promise<T> {
  const response = await fetch(`${base}/api/${path}`);
  assert.equal(response.status, 200, path);
  return await response.json();
}

async function* linesOf(response: Response): AsyncGenerator<RunLine> {
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}

function post(base: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(`${base}/api/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", origin: base },
    signal,
  });
}

async function resultOf<T>(response: Response): Promise<T> {
  for await (const line of linesOf(response)) {
    if ("result" in line) return line.result as T;
    assert.ok(!("problem" in line), JSON.stringify(line));
  }
  throw new Error("a run without an end");
}

/** The feature of a language that has the lowest entropy. */
async function featureOf(base: string, language: string) {
  const query = `language=${language}&identified=true&offset=0&limit=1`;
  const { features: [feature] } = await answer<FeatureList>(base, `features?${query}`);
  return feature;
}

Deno.test("explore", async (t) => {
  await withFolder(async (folder) => {
    const results = join(folder, "results");
    const texts = join(folder, "texts");
    await writeCorpus(texts, { ar: ARABIC });
    const datasets = ["udhr:{de,hi,th,zh}:train:0:10", `${texts}:ar`];
    const identified = await runScript("identify", [
      ...["--dataset-configs", ...datasets, "--layer", "layers.{3..4}.mlp"],
      ...["--out-dir", results, "--bootstrap", "100", "--permutations", "0", "--report-texts", "0"],
    ]);
    assert.equal(identified.code, 0, identified.stderr);
    const { features_info: info } = JSON.parse(
      await Deno.readTextFile(join(results, "lape.json")),
    );
    const [layer, latent] = info.Arabic.indicies[0];
    await writeInterpretations(join(results, "interpret"), layer, latent);
    await Deno.writeTextFile(join(results, "explore.sqlite"), "not a database");

    const first = await withServer(results, async (base) => {
      await t.step("the index has what was counted", () => sameAsCounts(base, results));
      await t.step(
        "a text that is tried gives what is recorded of it",
        () => triedAsRecorded(base),
      );
      await t.step("steering by nothing changes nothing, by German it does", () => steering(base));
      await t.step("runs wait for each other; who leaves is not waited for", () => queue(base));
      await t.step("another Host is refused", () => otherHost(base));
      await withChromium(async (browser) => {
        const step = (
          name: string,
          address: string,
          look: (visit: Visit) => Promise<void>,
          options: BrowserContextOptions = {},
        ) => t.step(name, () => visit(browser, base, address, look, options));
        const german = await featureOf(base, "German");
        const page = `/feature/${german.layer}/${german.index}`;
        const looks = [
          ...[["/", "light", 1280], ["/features", "dark", 400], [page, "light", 400]],
          ...[[page, "dark", 1280], ["/try?text=Menschen", "light", 400], ["/steer", "dark", 1280]],
        ] as const;
        for (const [address, colorScheme, width] of looks) {
          const name = `${address}: axe finds nothing at ${width} pixels in ${colorScheme} colours`;
          await step(name, address, accessible, { colorScheme, viewport: { width, height: 900 } });
        }
        await step("from the overview to a context, and back", "/", wayToContexts);
        await step("a page is read without scripts", page, withoutScripts, {
          javaScriptEnabled: false,
        });
        await step("words of every script are found", "/features", searches);
        await step("an article stands side by side in all languages", page, sideBySide);
        await step(
          "hostile texts and explanations are text, right to left",
          `/feature/${layer}/${latent}?language=Arabic`,
          hostile,
        );
        await step("a text that is typed is read", "/try", trying);
        await step("features of a language are chosen and the model writes", "/steer", writing);
      });
    });
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /^Building /);
    assert.match(first.stderr, /The explorer has ended\.\n$/);

    await t.step("the index is built once", async () => {
      const second = await withServer(results, async (base) => {
        assert.equal((await answer<Overview>(base, "overview")).languages.length, 5);
      });
      assert.equal(second.code, 0);
      assert.doesNotMatch(second.stderr, /Building/);
    });
    await t.step("what cannot be is refused in a sentence", () => refusals(results, texts));
  });
});

async function sameAsCounts(base: string, results: string): Promise<void> {
  const { languages, layers } = await answer<Overview>(base, "overview");
  assert.deepEqual(languages.map(({ name }) => name), [
    "Arabic",
    "Chinese",
    "German",
    "Hindi",
    "Thai",
  ]);
  assert.deepEqual(layers.map((layer) => layer.layer), [3, 4]);
  const { counts } = await readCounts(join(results, "counts", "udhr", "th.safetensors"));
  let firing = 0;
  for (const unit of [...counts.firedTokens.keys()].filter((at) => at % 97 === 5)) {
    const [row, index] = [Math.floor(unit / counts.width), unit % counts.width];
    const feature = await answer<FeatureDetail>(base, `feature/${counts.layers[row]}/${index}`);
    const thai = feature.perLanguage.find(({ language }) => language === "Thai")!;
    const fired = counts.firedTokens[unit];
    assert.ok(Math.abs(thai.probability * counts.tokens - fired) < 1e-3);
    assert.equal(thai.max, counts.max[unit]);
    const histogram = feature.histogram.counts.find(({ language }) => language === "Thai");
    assert.equal((histogram?.tokens ?? []).reduce((sum, n) => sum + n, 0), fired);
    const { total, contexts } = await answer<{ total: number; contexts: Context[] }>(
      base,
      `contexts/${feature.layer}/${index}?language=Thai&offset=0&limit=200`,
    );
    assert.equal(total, counts.firedExamples[unit]);
    if (fired === 0) continue;
    firing++;
    assert.ok(Math.abs(contexts[0].max - counts.max[unit]) < 1e-5 * counts.max[unit]);
    assert.deepEqual(
      contexts.map(({ max }) => max),
      contexts.map(({ max }) => max).sort((a, b) => b - a),
    );
  }
  assert.ok(firing > 10);
}

async function triedAsRecorded(base: string): Promise<void> {
  const { layer, index } = await featureOf(base, "German");
  const { contexts } = await answer<{ contexts: Context[] }>(
    base,
    `contexts/${layer}/${index}?language=German&offset=0&limit=10`,
  );
  const whole = contexts.find(({ pieces }) =>
    pieces.at(0)?.text !== "…" && pieces.at(-1)?.text !== "…"
  )!;
  const text = whole.pieces.map((piece) => piece.text).join("");
  const tried = await resultOf<Tried>(await post(base, "try", { text }));
  assert.equal(tried.tokens.join(""), text);
  assert.equal(tried.languages[0].language, "German");
  const fired = tried.fired.find((other) => other.layer === layer && other.index === index)!;
  assert.deepEqual(fired.languages, ["German"]);
  fired.activations.forEach((value, i) =>
    assert.ok(Math.abs(value - whole.pieces[i].activation) <= 1e-5 * whole.max)
  );
  for (const text of ["ก".repeat(3000), "\ud800"]) {
    const { value } = await linesOf(await post(base, "try", { text })).next();
    assert.ok("problem" in value ? /tokens/.test(value.problem) : "result" in value);
  }
}

async function steering(base: string): Promise<void> {
  const query = "language=German&identified=true&offset=0&limit=200";
  const { features } = await answer<FeatureList>(base, `features?${query}`);
  const request = (strength: number) => ({
    prompt: "Everyone",
    features: features.map(({ layer, index }) => ({ layer, index, strength })),
    ...{ maxNewTokens: 20, temperature: 0, seed: 0 },
  });
  const none = await resultOf<Steered>(await post(base, "steer", request(0)));
  assert.equal(none.steered, none.plain);
  const told: RunLine[] = [];
  for await (const line of linesOf(await post(base, "steer", request(0.5)))) told.push(line);
  const last = told.pop()!;
  assert.ok("result" in last);
  const { plain, steered } = last.result as Steered;
  assert.equal(plain, none.plain);
  assert.notEqual(steered, plain);
  assert.ok(told.length > 1 && told.every((line) => "tokens" in line), JSON.stringify(told));
  const unknown = await (await post(base, "steer", {
    ...request(1),
    features: [{ layer: 3, index: 99_999, strength: 1 }],
  })).text();
  assert.match(unknown, /There is no latent 99999 in layer 3/);
}

async function queue(base: string): Promise<void> {
  const long = { prompt: "a", features: [], maxNewTokens: 200, temperature: 1, seed: 1 };
  const leaving = new AbortController();
  const lines = linesOf(await post(base, "steer", long, leaving.signal));
  await lines.next();
  const waiting = linesOf(await post(base, "try", { text: "Menschen" }));
  assert.deepEqual((await waiting.next()).value, { ahead: 1 });
  const started = performance.now();
  leaving.abort();
  await assert.rejects(async () => {
    while (!(await lines.next()).done);
  });
  const { value } = await waiting.next();
  assert.ok(value && "result" in value, JSON.stringify(value));
  assert.ok(performance.now() - started < 10_000);
}

/** By hand: fetch sets this header itself. */
async function otherHost(base: string): Promise<void> {
  const { port } = new URL(base);
  for (const [host, status] of [["evil.example", 403], [`localhost:${port}`, 200]]) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const request = `GET /api/overview HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const bytes = new Uint8Array(64);
    await connection.read(bytes);
    assert.match(new TextDecoder().decode(bytes), new RegExp(`^HTTP/1.1 ${status}`));
  }
}

async function wayToContexts({ page }: Visit) {
  await page.getByRole("row", { name: /^Thai/ }).getByRole("link").nth(1).click();
  await page.getByRole("heading", { name: "Features" }).waitFor();
  assert.match(page.url(), /\/features\?language=Thai&layer=3$/);
  await page.locator(".features .place").first().click();
  await page.locator("h1", { hasText: "Layer 3" }).waitFor();
  assert.equal(await page.evaluate("document.activeElement.tagName"), "H1");
  assert.ok(await page.locator(".contexts mark").count() > 3);
  assert.equal(await page.locator(".contexts bdi").first().getAttribute("lang"), "th");
  await page.locator(".languages").getByRole("link", { name: "Hindi" }).click();
  await page.waitForURL(/language=Hindi/);
  assert.deepEqual(await page.locator(".texts h3").allTextContents(), ["Hindi"]);
  await page.goBack();
  await page.goBack();
  await page.locator(".features").waitFor();
  assert.match(page.url(), /\/features\?language=Thai&layer=3$/);
}

async function withoutScripts({ page }: Visit) {
  assert.ok(await page.locator(".contexts li").count() > 3);
  assert.ok(await page.locator(".contexts mark").count() > 3);
  assert.ok(await page.locator(".languages tbody tr").count() === 5);
  await page.getByRole("link", { name: "Features" }).click();
  assert.ok(await page.locator(".features tbody tr").count() > 5);
}

async function searches({ page }: Visit) {
  await page.getByLabel("also latents of no language").check();
  for (const words of ["Menschen", "WÜRDE", "मानव", "ศักดิ์", "自由", "الحرية"]) {
    await page.getByLabel("Search").fill(words);
    await page.waitForURL((url) => url.searchParams.get("text") === words);
    await page.locator("[aria-busy=true]").waitFor({ state: "detached" });
    const [found] = (await page.locator(".count").textContent() ?? "").split(" ");
    const count = Number(found.replace(",", ""));
    assert.ok(count > 0 && count < 4000, `${words}: ${count}`);
  }
  await page.getByLabel("Search").fill("no such words anywhere");
  await page.locator(".count", { hasText: /^0 latents$/ }).waitFor();
}

async function sideBySide({ page }: Visit) {
  const article = page.getByLabel("Article");
  await article.scrollIntoViewIfNeeded();
  await page.locator(".side-by-side li").first().waitFor();
  await article.selectOption("Preamble");
  await page.waitForURL(/article=0/);
  await page.locator(".side-by-side", { hasText: "Anerkennung" }).waitFor();
  const languages = await page.locator(".side-by-side h3").allTextContents();
  assert.deepEqual(languages.map((text) => text.split(" ")[0]), [
    "German",
    "Chinese",
    "Hindi",
    "Thai",
  ]);
}

async function hostile({ page }: Visit) {
  const context = page.locator(".contexts bdi", { hasText: "<img src=x" });
  await context.waitFor();
  assert.equal(await context.getAttribute("dir"), "rtl");
  assert.match(await context.textContent() ?? "", /⟨U\+202E⟩gnp\.exe⟨U\+202C⟩/);
  assert.match(
    await page.locator(".explanation").textContent() ?? "",
    /Arabic words <\/script><script>/,
  );
  const [score] = await page.locator(".scores tbody tr").allTextContents();
  assert.equal(score, "detection0.8750.82 – 0.930.7500.6250.938");
  assert.equal(await page.locator("main img").count(), 0);
  assert.equal(await page.getByText("of a control").count(), 0);
}

const MIXED = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. सभी";

async function trying({ page }: Visit) {
  await page.getByLabel("Your text").fill(MIXED);
  await page.locator(".fired tbody tr").first().waitFor();
  const rows = await page.locator(".fired bdi").allTextContents();
  assert.ok(rows.every((text) => text === MIXED), rows.join("\n"));
  assert.equal(await page.locator("aside th").first().textContent(), "German");
  assert.match(page.url(), /\/try\?text=Alle/);
  await page.getByLabel("Your text").fill("");
  await page.locator(".fired").waitFor({ state: "detached" });
}

async function writing({ page }: Visit) {
  await page.getByLabel("All features of").selectOption("German");
  await page.locator(".chosen li").first().waitFor();
  await page.getByLabel("Beginning of the text").fill("Everyone");
  await page.getByLabel("Tokens").fill("12");
  await page.getByRole("button", { name: "Write" }).click();
  await page.locator(".written").nth(1).waitFor();
  const texts = await page.locator(".written p").allTextContents();
  assert.ok(texts.every((text) => text.startsWith("Everyone")));
  const chosen = await page.locator(".chosen li").count();
  assert.equal(await page.locator("legend").textContent(), `Features (${chosen})`);
  await page.reload();
  await page.locator(".chosen li").nth(chosen - 1).waitFor();
  await page.getByRole("button", { name: "None" }).click();
  assert.equal(await page.locator(".chosen li").count(), 0);
}

async function refusals(results: string, texts: string): Promise<void> {
  const refused = async (args: readonly string[], why: RegExp) => {
    const { code, stderr } = await runScript("explore", ["--out-dir", results, ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  };
  await refused(["--host", "0.0.0.0"], /^babelscope explore: --host 0\.0\.0\.0 would let other/);
  await otherModel(results, () =>
    refused(
      ["--index-only"],
      /^babelscope explore: The model or SAEs are not those that .* was made with/,
    ));
  await Deno.remove(join(results, "explore.sqlite"));
  await writeCorpus(texts, { ar: ARABIC.slice(1) });
  const { code, stderr } = await runScript("explore", ["--out-dir", results, "--index-only"]);
  assert.equal(code, 2);
  assert.match(stderr, /The texts are not those that .* was made with/);
  const manifest = join(results, "run.json");
  const { corpora: _, ...rest } = JSON.parse(await Deno.readTextFile(manifest));
  await Deno.writeTextFile(manifest, JSON.stringify(rest));
  await refused([], /run\.json is not one that identify wrote after counting \(corpora: /);
}

/** The index is there, but what would run for visitors is not the model that it was made with. */
async function otherModel(results: string, use: () => Promise<void>): Promise<void> {
  const manifest = join(results, "run.json");
  const original = await Deno.readTextFile(manifest);
  const run = JSON.parse(original);
  run.model.sha256["model.safetensors"] = "0".repeat(64);
  const changed = JSON.stringify(run);
  await Deno.writeTextFile(manifest, changed);
  const database = new DatabaseSync(join(results, "explore.sqlite"));
  const row = database.prepare("SELECT value FROM meta WHERE name = 'identity'").get();
  const identity = {
    ...JSON.parse(JSON.parse(String(row?.value))),
    results: createHash("sha256").update(changed).digest("hex"),
  };
  database.prepare("UPDATE meta SET value = ? WHERE name = 'identity'")
    .run(JSON.stringify(JSON.stringify(identity)));
  database.close();
  await use();
  await Deno.writeTextFile(manifest, original);
}
