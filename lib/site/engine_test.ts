import assert from "node:assert/strict";
import { DEMO, entriesOf } from "../../tests/support/demo_engine.ts";
import { testAdapter } from "../../tests/support/gpu.ts";
import { ROOT } from "../../tests/support/run.ts";
import { MOST_TOKENS } from "../explore/limits.ts";
import { InputError } from "../formats/input_error.ts";
import { Engine } from "./engine.ts";
import type { EngineFiles } from "./engine_files.ts";

const TEXT = "Alle Menschen sind frei";
const STEERING = { prompt: TEXT, latents: [], maxNewTokens: 9, temperature: 0, seed: 1 };

async function open(files: Partial<EngineFiles> = {}): Promise<Engine> {
  const { adapter } = await testAdapter();
  const read = (path: string) => Deno.readFile(`${ROOT}assets/demo/${path}`);
  return await Engine.open(adapter, { ...DEMO, ...files }, read);
}

Deno.test("the engine finds the features that fire on a text, of all latents that do", async () => {
  using bare = await open();
  const [targets] = await entriesOf(bare, [TEXT]);
  // The strongest on the first token after BOS.
  const fires = targets[4].units[targets[4].offsets[1]];
  const silent = Array.from({ length: 2048 }, (_, unit) => unit)
    .find((unit) => !targets[4].units.includes(unit))!;
  const own = [fires, silent].map((index) => ({
    ...{ layer: 4, index, entropy: 0, probability: 1, globalMax: 2, globalMin: 0.5, globalAvg: 1 },
  }));
  const features = { ...DEMO.features, languages: ["German"], features: [own] };
  using engine = await open({ features });
  const { tokens, fired, languages } = await engine.tryText(TEXT);
  assert.equal(tokens.join(""), TEXT, "without BOS");
  assert.deepEqual(fired.map(({ layer, index }) => [layer, index]), [[4, fires]]);
  const { offsets, units, values } = targets[4];
  const expected = tokens.map((_, token) => {
    const slot = units.findIndex((unit, at) =>
      unit === fires && offsets[token + 1] <= at && at < offsets[token + 2]
    );
    return slot < 0 ? 0 : values[slot];
  });
  assert.deepEqual(fired[0].activations, expected);
  assert.deepEqual(languages, [{ language: "German", score: 1 }]);
});

Deno.test("steering changes what the model writes, nothing leaves it, and it can be stopped", async () => {
  using engine = await open();
  const told: number[] = [];
  const unsteered = await engine.steer(STEERING, (tokens) => told.push(tokens));
  assert.equal(unsteered.plain, unsteered.steered);
  assert.deepEqual(told, [1, 5, 9]);
  const latents = [{ layer: 5, index: 3, activation: 500 }];
  const { plain, steered } = await engine.steer({ ...STEERING, latents }, () => {});
  assert.equal(plain, unsteered.plain);
  assert.notEqual(steered, plain);
  const stop = () => {
    throw new Error("gone");
  };
  await assert.rejects(engine.steer(STEERING, stop), /gone/);
  assert.deepEqual(await engine.steer(STEERING, () => {}), unsteered, "and goes on after that");
});

Deno.test("texts that are too long, and latents that are not there, are refused in a sentence", async () => {
  using engine = await open();
  const long = "a ".repeat(MOST_TOKENS + 1);
  await assert.rejects(engine.tryText(long), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^The text has 10\d\d tokens, .* leave some of it out\.$/);
    return true;
  });
  const latents = [{ layer: 0, index: 9999, activation: 1 }];
  const refused = [
    ...[{ maxNewTokens: 201 }, { maxNewTokens: 0 }, { maxNewTokens: -5 }, { maxNewTokens: 2.5 }],
    ...[{ temperature: -1 }, { temperature: NaN }, { seed: -1 }, { seed: 0.5 }],
    { latents: new Array(201).fill({ layer: 0, index: 0, activation: 1 }) },
  ];
  for (const settings of refused) {
    await assert.rejects(engine.steer({ ...STEERING, ...settings }, () => {}), InputError);
  }
  await assert.rejects(engine.steer({ ...STEERING, latents }, () => {}), InputError);
});

Deno.test("an SAE for a hookpoint that the model has not is refused", async () => {
  const [sae] = DEMO.saes;
  await assert.rejects(open({ saes: [{ ...sae, hookpoint: "layers.9.mlp" }] }), InputError);
});
