/** The cache of a pass holds what the model does, in the published layout, wherever it was stopped. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { filesUnder, hashesOf } from "../../../tests/support/folders.ts";
import { openTestGpu } from "../../../tests/support/gpu.ts";
import { openTestLlama } from "../../../tests/support/models.ts";
import { refuses } from "../../../tests/support/refusals.ts";
import { withFolder } from "../../../tests/support/run.ts";
import { openDemoSae } from "../../../tests/support/saes.ts";
import { openSafetensorsFile } from "../../data/safetensors_files.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { resolveHookpoints } from "../../nn/hookpoints.ts";
import type { Sae } from "../../sae/sae.ts";
import type { Target } from "../../sae/target.ts";
import { readActivations, type Reader } from "../activations.ts";
import { cacheLatents, isCached } from "./cache_latents.ts";
import type { CacheOptions } from "./cache_options.ts";
import { readFiringCounts } from "./firing_counts.ts";
import { openLatentCache } from "./open_cache.ts";

const LENGTH = 24;
const ROWS = 11;
const IDS = Uint32Array.from(
  { length: ROWS * LENGTH },
  (_, i) => i % LENGTH === 0 ? 8190 : (i * 97 + (i % 13) * 1013) % 8000,
);
const rows: TokenRows = {
  rows: ROWS,
  contextLength: LENGTH,
  parts: [{ language: "German", rows: 4 }, { language: "English", rows: 7 }],
  leftOver: 0,
  sha256: { "made up": "0" },
  read: (wanted) =>
    Promise.resolve(
      Uint32Array.from(
        Array.from(wanted, (row) => [...IDS.slice(row * LENGTH, (row + 1) * LENGTH)]).flat(),
      ),
    ),
  [Symbol.dispose]() {},
};

async function targetsOf(thresholds: boolean): Promise<Target[]> {
  const targets: Target[] = [];
  for (const hookpoint of resolveHookpoints(["layers.{1,4}.mlp"], 6)) {
    const sae = await openDemoSae(hookpoint.layer);
    targets.push({ hookpoint, sae: thresholds ? withThresholds(sae) : sae });
  }
  return targets;
}

function withThresholds(sae: Sae): Sae {
  const thresholds = Float32Array.from({ length: sae.latents }, (_, i) => i % 5 === 0 ? -1 : 2);
  return { ...sae, activation: { kind: "threshold", thresholds } };
}

const WANTED = new Map([
  ["layers.1.mlp", new Set(Array.from({ length: 90 }, (_, i) => 11 * i))],
  ["layers.4.mlp", new Set(Array.from({ length: 200 }, (_, i) => 5 * i))],
]);

function optionsFor(folder: string, changed: Partial<CacheOptions> = {}): CacheOptions {
  return {
    folder,
    nSplits: 5,
    config: { batch_size: 32 },
    modelName: "a model",
    identity: "test",
    ...changed,
  };
}

async function withModel(body: (model: Reader) => Promise<void>): Promise<void> {
  using gpu = await openTestGpu();
  using model = await openTestLlama(gpu, "assets/demo/model");
  await body({ gpu, ...model, limits: { tokens: 3 * LENGTH + 5, examples: 10 } });
}

type Entry = readonly [row: number, position: number, latent: number, activation: number];

/** What the files should hold, from all activations as the model gives them. */
async function expectedEntries(
  model: Reader,
  targets: readonly Target[],
  i: number,
  kept: (latent: number) => boolean,
  least = 1e-5,
): Promise<Entry[]> {
  const texts = Array.from(
    { length: ROWS },
    (_, row) => ({ ids: IDS.slice(row * LENGTH, (row + 1) * LENGTH) }),
  );
  const entries: Entry[] = [];
  for await (const { text, targets: found } of readActivations(model, targets, texts)) {
    const { offsets, units, values } = found[i];
    for (let position = 0; position < LENGTH; position++) {
      for (let slot = offsets[position]; slot < offsets[position + 1]; slot++) {
        if (values[slot] > least && kept(units[slot])) {
          entries.push([text, position, units[slot], Math.f16round(values[slot])]);
        }
      }
    }
  }
  return entries.sort(([a, b, c], [d, e, f]) => a - d || b - e || c - f);
}

async function cachedEntries(folder: string, hookpoint: string): Promise<Entry[]> {
  using cache = await openLatentCache(folder, [hookpoint]);
  const entries: Entry[] = [];
  for (const split of cache.splits(hookpoint)) {
    const own: Entry[] = [];
    for await (const { rows, positions, latents, activations } of cache.entries(split)) {
      activations.forEach((value, n) => own.push([rows[n], positions[n], latents[n], value]));
    }
    assert.deepEqual(own, own.toSorted(([a, b, c], [d, e, f]) => a - d || b - e || c - f));
    assert.ok(own.every(([, , latent]) => latent >= split.first && latent < split.end));
    entries.push(...own);
  }
  return entries.sort(([a, b, c], [d, e, f]) => a - d || b - e || c - f);
}

for (const thresholds of [false, true]) {
  const kind = thresholds ? "thresholds" : "TopK";
  Deno.test(`wanted latents of SAEs with ${kind} are cached, others are not`, () =>
    withFolder((folder) =>
      withModel(async (model) => {
        const targets = await targetsOf(thresholds);
        const options = optionsFor(folder, { wanted: WANTED });
        const shown: number[] = [];
        const summary = await cacheLatents(
          () => model,
          targets,
          rows,
          options,
          (p) => shown.push(p.rowsDone),
        );
        let entries = 0;
        for (const [i, { hookpoint: { name } }] of targets.entries()) {
          const wanted = WANTED.get(name)!;
          const expected = await expectedEntries(model, targets, i, (unit) => wanted.has(unit));
          assert.ok(expected.length > 50, `${expected.length} activations`);
          assert.deepEqual(await cachedEntries(folder, name), expected);
          // weaker activations are counted all the same
          const fired = await expectedEntries(model, targets, i, (unit) => wanted.has(unit), 0);
          const counts = await readFiringCounts(folder, name);
          assert.deepEqual(counts?.latents, [...wanted]);
          assert.deepEqual(
            counts?.counts,
            [...wanted].map((latent) => fired.filter(([, , unit]) => unit === latent).length),
          );
          entries += expected.length;
        }
        const tokens = ROWS * LENGTH;
        assert.deepEqual(summary, { rows: ROWS, tokens, entries, known: false });
        assert.deepEqual(shown, Array.from({ length: ROWS + 1 }, (_, row) => row));
        using cache = await openLatentCache(folder, [...WANTED.keys()]);
        assert.deepEqual(cache.tokens.parts, rows.parts);
        assert.deepEqual(await cache.tokens.read([10, 0]), await rows.read([10, 0]));
      })
    ));
}

Deno.test("as published all latents are cached, in bf16, and every file has the tokens", () =>
  withFolder((folder) =>
    withModel(async (model) => {
      const targets = await targetsOf(false);
      const options = optionsFor(folder, { compat: "paper" });
      await cacheLatents(() => model, targets, rows, options);
      const { latents } = targets[1].sae!;
      const names = await Array.fromAsync(Deno.readDir(join(folder, "latents/layers.4.mlp")));
      const borders = [0, 1, 2, 3, 4, 5].map((i) => Math.floor(i * latents / 5));
      assert.deepEqual(
        names.map(({ name }) => name).sort(),
        [
          ...borders.slice(1).map((end, i) => `${borders[i]}_${end - 1}.safetensors`),
          "config.json",
        ].sort(),
      );
      const expected = await expectedEntries(model, targets, 1, () => true);
      const cached = await cachedEntries(folder, "layers.4.mlp");
      assert.deepEqual(
        cached.map((entry) => entry.slice(0, 3)),
        expected.map((e) => e.slice(0, 3)),
      );
      for (const [n, [, , , value]] of cached.entries()) {
        const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
        assert.equal(bits & 0xffff, 0);
        assert.ok(Math.abs(value - expected[n][3]) <= expected[n][3] * 2 ** -8);
      }
      for (const [i, end] of borders.slice(1).entries()) {
        const path = join(folder, `latents/layers.4.mlp/${borders[i]}_${end - 1}.safetensors`);
        using tensors = await openSafetensorsFile(path);
        assert.equal(tensors.info("locations").dtype, "U16");
        assert.equal(tensors.info("activations").dtype, "F16");
        assert.deepEqual(tensors.info("tokens").shape, [ROWS, LENGTH]);
        const words = new BigInt64Array((await tensors.read("tokens")).slice().buffer);
        assert.deepEqual(Uint32Array.from(words, Number), IDS);
      }
      const counts = await readFiringCounts(folder, "layers.4.mlp");
      assert.equal(counts?.latents, undefined);
      assert.equal(counts?.counts.length, latents);
      const config = JSON.parse(
        await Deno.readTextFile(join(folder, "latents/layers.4.mlp/config.json")),
      );
      assert.equal(config.model_name, "a model");
      assert.equal(config.batch_size, 32);
      using cache = await openLatentCache(folder, ["layers.4.mlp"]);
      assert.deepEqual(cache.tokens.parts, [{ language: undefined, rows: ROWS }]);
    })
  ));

Deno.test("a pass that was stopped anywhere ends with the same bytes", () =>
  withFolder((folder) =>
    withModel(async (model) => {
      const targets = await targetsOf(false);
      const options = (name: string) =>
        optionsFor(join(folder, name), { wanted: WANTED, secondsBetweenSaves: 0 });
      await cacheLatents(() => model, targets, rows, options("whole"));
      for (const stop of [1, 2, 5]) {
        await assert.rejects(
          cacheLatents(() => model, targets, rows, options("stopped"), (done) => {
            if (done.rowsDone === 2 * stop) throw new Error("stopped");
          }),
          /stopped/,
        );
        assert.ok(!await isCached(targets, rows, options("stopped")));
        await refuses(
          () => openLatentCache(join(folder, "stopped"), ["layers.4.mlp"]),
          /is not whole: it has no config.json/,
        );
        // what was being written when the process was killed
        for (const name of await filesUnder(join(folder, "stopped"))) {
          if (!name.endsWith(".part")) continue;
          await Deno.writeFile(join(folder, "stopped", name), Uint8Array.of(1, 2, 3), {
            append: true,
          });
        }
      }
      let first: number | undefined;
      const limits = { tokens: 200, examples: 2 };
      await cacheLatents(
        () => ({ ...model, limits }),
        targets,
        rows,
        options("stopped"),
        (done) => {
          first ??= done.rowsDone;
        },
      );
      assert.equal(first, 9);
      assert.deepEqual(
        await hashesOf(join(folder, "stopped")),
        await hashesOf(join(folder, "whole")),
      );
    })
  ));

Deno.test("a cache that is there is used for fewer latents, and made anew for others", () =>
  withFolder((folder) =>
    withModel(async (model) => {
      const targets = await targetsOf(false);
      const cache = (changed: Partial<CacheOptions>, opened = () => model) =>
        cacheLatents(opened, targets, rows, optionsFor(folder, { wanted: WANTED, ...changed }));
      const needed = () => {
        throw new Error("the model is needed");
      };
      const { entries } = await cache({});
      assert.deepEqual(
        await cache({ wanted: new Map([["layers.4.mlp", new Set([5, 10])]]) }, needed),
        {
          rows: ROWS,
          tokens: ROWS * LENGTH,
          entries: (await cachedEntries(folder, "layers.4.mlp")).length,
          known: true,
        },
      );
      // killed when all was done but the tidying
      for (const left of ["cache.part.jsonl", "layers.4.mlp/0_408.safetensors.part"]) {
        await Deno.writeTextFile(join(folder, "latents", left), "left");
      }
      assert.equal((await cache({}, needed)).entries, entries);
      assert.ok((await filesUnder(folder)).every((name) => !name.includes(".part")));
      const more = new Map([["layers.4.mlp", new Set([5, 6])]]);
      await assert.rejects(cache({ wanted: more }, needed), /the model is needed/);
      await cache({});
      await assert.rejects(cache({ identity: "another" }, needed), /the model is needed/);
      await cache({ nSplits: 2 });
      const names = await filesUnder(join(folder, "latents/layers.1.mlp"));
      assert.equal(names.filter((name) => name.endsWith(".safetensors")).length, 2);
      await refuses(
        () => cache({ wanted: new Map([["layers.4.mlp", new Set([2 ** 20])]]) }),
        /Latent 1048576 of layers.4.mlp is asked for, but .* has \d+ latents/,
      );
    })
  ));
