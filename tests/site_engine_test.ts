/** The model in a browser, beside the same model here: the kernels are the same, the compilers are not. */
import assert from "node:assert/strict";
import type { KernelFamily } from "../lib/gpu/device.ts";
import { Engine } from "../lib/site/engine.ts";
import forward from "./fixtures/oracle/forward.json" with { type: "json" };
import type { BrowserEngine } from "./support/browser_engine.ts";
import { SOFTWARE_WEBGPU, withChromium } from "./support/chromium.ts";
import { DEMO, type Entries, entriesOf } from "./support/demo_engine.ts";
import { withFileServer } from "./support/file_server.ts";
import { testAdapter } from "./support/gpu.ts";
import { ROOT } from "./support/run.ts";

const ASSETS = `${ROOT}assets/demo/`;
const STEERING = {
  prompt: "All human",
  latents: [{ layer: 3, index: 10, activation: 30 }, { layer: 3, index: 11, activation: -20 }],
  ...{ maxNewTokens: 6, temperature: 0.7, seed: 5 },
};

/** Largest difference of a value. */
const TOLERANCE = 1e-4;

/** Largest margin of a tie, relative to the value (DESIGN, Numbers). */
const TIE = 1e-4;

async function bundledEngine(): Promise<string> {
  const { success, outputFiles } = await Deno.bundle({
    entrypoints: [`${ROOT}tests/support/browser_engine.ts`],
    ...{ platform: "browser", write: false },
  });
  assert.ok(success && outputFiles);
  return outputFiles[0].text();
}

/** Tokens whose latents differ; each has to be a tie of the last latent with the next one. */
function compare(ours: Entries, theirs: Entries): number {
  assert.deepEqual(theirs.offsets, ours.offsets);
  let ties = 0;
  for (let token = 0; token + 1 < ours.offsets.length; token++) {
    const own = entriesOfToken(ours, token);
    const other = entriesOfToken(theirs, token);
    const least = Math.min(...own.values());
    for (const [unit, value] of own) {
      const found = other.get(unit);
      if (found !== undefined) assert.ok(Math.abs(found - value) <= TOLERANCE, `${unit}: ${value}`);
      else ties += Number(value - least <= TIE * value) || assert.fail(`${unit} is no tie`);
    }
  }
  return ties;
}

function entriesOfToken({ offsets, units, values }: Entries, token: number): Map<number, number> {
  const slots = Array.from(
    { length: offsets[token + 1] - offsets[token] },
    (_, i) => i + offsets[token],
  );
  return new Map(slots.map((slot) => [units[slot], values[slot]]));
}

Deno.test("a browser computes the same latents as Deno, with the kernels of both families", async () => {
  const texts = forward.filter(({ lang }) => ["en", "th"].includes(lang)).map(({ text }) => text);
  const { adapter } = await testAdapter();
  using engine = await Engine.open(adapter, DEMO, (path) => Deno.readFile(ASSETS + path));
  const ours = await entriesOf(engine, texts);
  const steered = await engine.steer(STEERING, () => {});
  assert.notEqual(steered.plain, steered.steered);

  const more = {
    "page.html": "<script type=module src=engine.js></script>",
    "engine.js": await bundledEngine(),
  };
  await withFileServer(ASSETS, async (root) => {
    await withChromium(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`${root}page.html`);
      const runs: [KernelFamily, readonly string[], typeof STEERING | undefined][] = [
        ["texture", texts, STEERING],
        ["tile", texts.slice(0, 1).map((text) => text.slice(0, 24)), undefined],
      ];
      for (const [family, given, steering] of runs) {
        const found = await page.evaluate(
          ([family, given, steering]) =>
            (globalThis as unknown as { browserEngine: BrowserEngine }).browserEngine
              .run(family, given, steering),
          [family, given, steering] as const,
        );
        assert.equal(found.architecture, "swiftshader");
        const here = given === texts ? ours : await entriesOf(engine, given);
        let [ties, slots] = [0, 0];
        for (const [text, targets] of here.entries()) {
          for (const [target, entries] of targets.entries()) {
            ties += compare(entries, found.entries[text][target]);
            slots += entries.units.length;
          }
        }
        assert.ok(ties <= slots / 10_000, `${ties} ties in ${slots} slots`);
        if (steering) assert.deepEqual(found.steered, steered);
      }
    }, SOFTWARE_WEBGPU);
  }, { more });
});
