/** Examples from a hand-made cache in the published layout. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { refuses } from "../../../tests/support/refusals.ts";
import { ROOT, withFolder } from "../../../tests/support/run.ts";
import { openDemoSae } from "../../../tests/support/saes.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import type { Embedder } from "../../llm/chat.ts";
import { MersenneTwister } from "../../stats/mersenne_twister.ts";
import { seededRandom } from "../../stats/random.ts";
import { userAccess } from "../../subject/access.ts";
import { openModelTokenizer } from "../../subject/open_tokenizer.ts";
import type { Example, LatentExamples, LatentName } from "../example.ts";
import { readFiringCounts } from "../latent_cache/firing_counts.ts";
import { type ExampleOptions, hasExamples } from "./example_source.ts";
import { prepareNeighbours, readNeighbours } from "./neighbour_files.ts";
import { openLatentExamples } from "./open_examples.ts";

const { tokenizer } = await openModelTokenizer(undefined, userAccess());
const LENGTH = 32;
const ROWS = 60;
const WINDOW = 8;
const WINDOWS = ROWS * LENGTH / WINDOW;
const TEXT = "All humans are born free 🙂, นั่นคือ🜁 Menschenwürde . ";
const IDS = matrix();

/** BOS and 31 tokens of the text in every row. */
function matrix(): Uint32Array<ArrayBuffer> {
  const ids = new Uint32Array(ROWS * LENGTH);
  const text = tokenizer.encode(TEXT.repeat(ROWS * 2)).subarray(1);
  for (let row = 0; row < ROWS; row++) {
    ids.set([tokenizer.bosId ?? 0, ...text.subarray(row * 31, row * 31 + 31)], row * LENGTH);
  }
  return ids;
}

type Entry = readonly [row: number, position: number, latent: number, value: number];

/** Latent 3 fires on 40 rows, 5 on the first of all rows, 12 on two tokens, 14 never. */
const ENTRIES: readonly Entry[] = [
  ...firing(3, 1, (row) => row % 3 < 2),
  ...firing(5, 2, () => true),
  [7, 3, 12, 2] as const,
  [50, 31, 12, 1] as const,
];

/** On about one token in ten of some rows. */
function firing(latent: number, seed: number, inRow: (row: number) => boolean): Entry[] {
  const random = seededRandom(seed);
  const entries: Entry[] = [];
  for (let row = 0; row < ROWS; row++) {
    for (let position = 0; position < LENGTH; position++) {
      const value = Math.f16round(0.25 + 9 * random());
      if (inRow(row) && random() < 0.1) entries.push([row, position, latent, value]);
    }
  }
  return entries;
}

const HOOKPOINT = "layers.2.mlp";
const latent = (index: number): LatentName => ({ hookpoint: HOOKPOINT, layer: 2, index });

/** Writes a cache as delphi does, 16 latents in two files. */
async function writeCache(folder: string, entries = ENTRIES): Promise<void> {
  for (const [first, end] of [[0, 8], [8, 16]]) {
    const own = entries.filter(([, , latent]) => latent >= first && latent < end)
      .toSorted(([a, b, c], [d, e, f]) => a - d || b - e || c - f);
    const locations = own.flatMap(([row, position, latent]) => [row, position, latent - first]);
    const bytes = encodeSafetensors({
      locations: { dtype: "U16", shape: [own.length, 3], data: Uint16Array.from(locations) },
      activations: {
        dtype: "F16",
        shape: [own.length],
        data: Float16Array.from(own, ([, , , value]) => value),
      },
      tokens: { dtype: "I64", shape: [ROWS, LENGTH], data: BigInt64Array.from(IDS, BigInt) },
    });
    await Deno.mkdir(join(folder, "latents", HOOKPOINT), { recursive: true });
    const path = join(folder, "latents", HOOKPOINT, `${first}_${end - 1}.safetensors`);
    await Deno.writeFile(path, bytes);
  }
  await Deno.writeTextFile(join(folder, "latents", HOOKPOINT, "config.json"), "{}");
}

const FIXED: ExampleOptions = {
  exampleCtxLen: WINDOW,
  minExamples: 10,
  nNonActivating: 15,
  windows: "centred",
  nonActivatingSource: "random",
  neighboursType: "co-occurrence",
  nExamplesTrain: 12,
  trainType: "top",
  nExamplesTest: 15,
  testType: "quantiles",
  nQuantiles: 5,
  ratioTop: 0.2,
  seed: 22,
};
const PAPER: ExampleOptions = { ...FIXED, windows: "grid", compat: "paper" };

async function loaded(
  folder: string,
  index: number,
  options: ExampleOptions,
  embedder?: Embedder,
): Promise<LatentExamples> {
  using source = await openLatentExamples(folder, [latent(index)], options, {
    tokenizer,
    embedder,
  });
  const examples = await source.load(latent(index));
  assert.ok(hasExamples(examples));
  return examples;
}

/** Activations of a latent at the tokens of an example. */
function activationsAt(index: number, { row, start }: Example): number[] {
  return Array.from({ length: WINDOW }, (_, i) => {
    const found = ENTRIES.find(([r, p, latent]) =>
      r === row && p === start + i && latent === index
    );
    return found?.[3] ?? 0;
  });
}

/** The same where there is text: largest of the tokens of a character, at the first of them. */
function shownAt(index: number, example: Example): number[] {
  const values = activationsAt(index, example);
  const carrier = (at: number): number =>
    at < 0 || example.tokens[at] !== "" ? at : carrier(at - 1);
  return values.map((_, at) =>
    Math.max(0, ...values.filter((_, i) => example.tokens[at] !== "" && carrier(i) === at))
  );
}

/** Windows of the grid in which a latent fires: number and largest activation, strongest first. */
function activeWindows(index: number): { window: number; max: number }[] {
  const windows = new Map<number, number>();
  for (const [row, position, latent, value] of ENTRIES) {
    if (latent !== index) continue;
    const window = Math.floor((row * LENGTH + position) / WINDOW);
    windows.set(window, Math.max(windows.get(window) ?? 0, value));
  }
  return [...windows].map(([window, max]) => ({ window, max }))
    .sort((a, b) => b.max - a.max || a.window - b.window);
}

const windowOf = ({ row, start }: Example) => (row * LENGTH + start) / WINDOW;

Deno.test("latents are ordered by index, and those that never fire are apart", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const asked = [14, 12, 5, 3].map(latent);
    using source = await openLatentExamples(folder, asked, FIXED, { tokenizer });
    assert.deepEqual(source.latents, [3, 5, 12].map(latent));
    assert.deepEqual(source.silent, [latent(14)]);
    assert.equal(source.windows, WINDOWS);
    assert.equal(source.tokens, ROWS * LENGTH);
    assert.deepEqual(await source.load(latent(12)), {
      latent: latent(12),
      skipped: "too few windows",
      activeWindows: 2,
    });
    await assert.rejects(source.load(latent(4)), RangeError);
  }));

Deno.test("which latents fire is read from delphi's own counts, where they are", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const fixture = join(ROOT, "tests/fixtures/interpret_examples/hookpoint_firing_counts.pt");
    await Deno.mkdir(join(folder, "log"));
    await Deno.copyFile(fixture, join(folder, "log/hookpoint_firing_counts.pt"));
    const asked = [3, 5, 12, 14].map(latent);
    using source = await openLatentExamples(folder, asked, FIXED, { tokenizer });
    assert.deepEqual(source.latents, [3, 5, 14].map(latent));
    assert.deepEqual(source.silent, [latent(12)]);
    const counts = await readFiringCounts(folder, HOOKPOINT);
    assert.deepEqual([counts?.counts[3], counts?.counts[5], counts?.latents], [
      2 ** 33,
      7,
      undefined,
    ]);
    assert.equal(await readFiringCounts(folder, "layers.3.mlp"), undefined);
  }));

Deno.test("by default windows are centred, train and test disjoint, and nothing else is shown", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    for (const index of [3, 5]) {
      const examples = await loaded(folder, index, FIXED);
      const { train, test, nonActivating, max } = examples;
      const values = ENTRIES.filter(([, , latent]) => latent === index).map(([, , , value]) =>
        value
      );
      assert.equal(max, Math.max(...values));
      assert.equal(examples.firedTokens, values.length);
      assert.equal(examples.activeWindows, activeWindows(index).length);
      assert.deepEqual([train.length, test.length, nonActivating.length], [12, 15, 15]);
      const seen = new Set<number>();
      for (const example of [...train, ...test, ...nonActivating]) {
        const { row, start, ids, activations, normalised, activating } = example;
        const first = row * LENGTH + start;
        assert.deepEqual(ids, IDS.slice(first, first + WINDOW));
        assert.deepEqual([...activations], shownAt(index, example));
        assert.equal(activations.some((value) => value > 0), activating);
        assert.deepEqual(
          [...normalised],
          [...activations].map((value) => Math.min(10, Math.ceil(10 * value / max))),
        );
        for (let at = 0; at < WINDOW; at++) seen.add(first + at);
      }
      assert.equal(seen.size, WINDOW * (12 + 15 + 15), "no token is in two examples");
      assert.ok(nonActivating.every(({ distance }) => distance === -1));
      assert.deepEqual(
        test.map(({ distance }) => distance),
        [0, 1, 2, 3, 4].flatMap((q) => [q, q, q]),
      );
      const peaks = train.map(({ activations }) => activations.indexOf(Math.max(...activations)));
      assert.ok(peaks.filter((peak) => peak === 6).length >= 6, `${peaks}`);
    }
  }));

Deno.test("examples depend on the seed and the latent, not on what was loaded before", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const alone = await loaded(folder, 5, FIXED);
    using both = await openLatentExamples(folder, [latent(3), latent(5)], FIXED, { tokenizer });
    const [three, five] = await Promise.all([both.load(latent(3)), both.load(latent(5))]);
    assert.deepEqual(five, alone);
    assert.deepEqual(await both.load(latent(3)), three);
    const reseeded = await loaded(folder, 5, { ...FIXED, seed: 23 });
    assert.notDeepEqual(reseeded.test, alone.test);
    assert.notDeepEqual(reseeded.nonActivating, alone.nonActivating);
    assert.deepEqual(reseeded.train, alone.train);
  }));

Deno.test("texts are whole: characters split over tokens, windows and rows leave no U+FFFD", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const fixed = await loaded(folder, 5, FIXED);
    const paper = await loaded(folder, 5, PAPER);
    const texts = ({ train, test, nonActivating }: LatentExamples) =>
      [...train, ...test, ...nonActivating].map(({ tokens }) => tokens.join(""));
    assert.ok(texts(fixed).some((text) => text.includes("🙂")));
    for (const text of texts(fixed)) {
      assert.ok(!text.includes("\ufffd"), text);
      const bare = text.replace("<|begin_of_text|>", "").replaceAll("<|end_of_text|>", "");
      assert.ok(TEXT.repeat(3).includes(bare), bare);
    }
    assert.ok(texts(paper).some((text) => text.includes("\ufffd")));
    for (const { ids, tokens } of paper.train) {
      assert.deepEqual(tokens, Array.from(ids, (id) => tokenizer.decode([id])));
    }
  }));

Deno.test("as published: the grid, CPython's and torch's draws, activations rounded down", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const { train, test, nonActivating, max } = await loaded(folder, 3, PAPER);
    const active = activeWindows(3);
    assert.deepEqual(train.map(windowOf), active.slice(0, 12).map(({ window }) => window));
    assert.equal(test.length, 15);
    for (const example of test) {
      const index = active.findIndex(({ window }) => window === windowOf(example));
      assert.equal(Math.floor(index / Math.floor(active.length / 5)), example.distance);
    }
    const inactive = Array.from({ length: WINDOWS }, (_, window) => window)
      .filter((window) => !active.some((one) => one.window === window));
    const words = [1608637542, 3421126067, 4083286876, 787846414];
    assert.deepEqual(
      nonActivating.slice(0, 4).map(windowOf),
      words.map((word) => inactive[word % inactive.length]),
    );
    assert.equal(nonActivating.length, 15);
    for (const { activations, normalised } of train) {
      assert.deepEqual(
        [...normalised],
        [...activations].map((value) => Math.floor(Math.f16round(Math.f16round(10 * value) / max))),
      );
    }
  }));

Deno.test("where few windows are without the latent, as published there are none, by default all", () =>
  withFolder(async (folder) => {
    const dense = firing(5, 2, () => true).concat(
      Array.from(
        { length: 56 },
        (_, row): Entry[] => [1, 9, 17, 25].map((position) => [row, position, 5, 1] as const),
      ).flat(),
    );
    const unique = [...new Map(dense.map((entry) => [`${entry[0]} ${entry[1]}`, entry])).values()];
    await writeCache(folder, unique);
    assert.deepEqual((await loaded(folder, 5, { ...PAPER, nNonActivating: 50 })).nonActivating, []);
    const { nonActivating } = await loaded(folder, 5, {
      ...FIXED,
      windows: "grid",
      nNonActivating: 50,
    });
    const silent = nonActivating.map(windowOf);
    assert.ok(silent.length > 3 && silent.length < 50);
    assert.equal(new Set(silent).size, silent.length);
    const active = new Set(
      unique.map(([row, position]) => row * 4 + Math.floor(position / WINDOW)),
    );
    assert.equal(silent.length, WINDOWS - active.size);
  }));

Deno.test("neighbours give their strongest windows, and where there are none random ones are taken", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const path = join(folder, "neighbours", `${HOOKPOINT}-co-occurrence.json`);
    await Deno.mkdir(join(folder, "neighbours"));
    await Deno.writeTextFile(path, JSON.stringify({ 3: [[1, 3], [0.5, 12], [0.25, 5]], 5: [] }));
    const near = { ...FIXED, windows: "grid", nonActivatingSource: "neighbours" } as const;
    const active = new Set(activeWindows(3).map(({ window }) => window));
    const free = (index: number) =>
      activeWindows(index).map(({ window }) => window).filter((window) => !active.has(window));
    const { nonActivating } = await loaded(folder, 3, near);
    const expected = [...free(12), ...free(5).filter((window) => !free(12).includes(window))];
    // no more than ten of each
    assert.deepEqual(nonActivating.map(windowOf), expected.slice(0, free(12).length + 10));
    for (const example of nonActivating) {
      const index = free(12).includes(windowOf(example)) ? 12 : 5;
      assert.equal(example.distance, index === 12 ? -0.5 : -0.25);
      assert.deepEqual([...example.activations], shownAt(index, example));
      assert.ok(!example.activating && example.normalised.every((value) => value === 0));
    }
    const few = await loaded(folder, 3, { ...near, nNonActivating: 4 });
    assert.deepEqual(few.nonActivating.map(windowOf), expected.slice(0, 4));
    // as published the neighbour that makes it enough gives all its ten, and windows come again
    await Deno.writeTextFile(path, JSON.stringify({ 3: [[0.5, 5], [0.4, 5], [0.2, 12]], 5: [] }));
    const paper = { ...PAPER, nonActivatingSource: "neighbours", nNonActivating: 12 } as const;
    const ten = free(5).slice(0, 10);
    assert.deepEqual((await loaded(folder, 3, paper)).nonActivating.map(windowOf), [
      ...ten,
      ...ten,
    ]);
    const fallback = await loaded(folder, 5, near);
    const random = await loaded(folder, 5, { ...near, nonActivatingSource: "random" });
    assert.deepEqual(fallback, random);
    await Deno.writeTextFile(path, '{"3": [[1]]}');
    await refuses(() => loaded(folder, 3, near), /does not hold lists of \[similarity, latent\]/);
  }));

Deno.test("neighbours are found in a cache or in weights, once", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const sae = await openDemoSae(2);
    const targets = [{ hookpoint: { name: HOOKPOINT, layer: 2, site: "mlp" as const }, sae }];
    const latents = new Map([[HOOKPOINT, new Set([12, 3])]]);
    for (
      const [type, found] of [
        ["co-occurrence", 1],
        ["encoder_similarity", 250],
        ["decoder_similarity", 250],
      ] as const
    ) {
      const options = { folder, type, latents, identity: "first" };
      await prepareNeighbours(targets, options);
      const lists = await readNeighbours(folder, HOOKPOINT, type);
      assert.deepEqual([...lists.keys()], [3, 12]);
      assert.equal(lists.get(3)?.length, found);
      const path = join(folder, "neighbours", `${HOOKPOINT}-${type}.json`);
      const made = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, "{}");
      await prepareNeighbours(targets, options);
      assert.equal(await Deno.readTextFile(path), "{}");
      await prepareNeighbours(targets, { ...options, overwrite: true });
      assert.equal(await Deno.readTextFile(path), made);
      await Deno.writeTextFile(path, "{}");
      await prepareNeighbours(targets, { ...options, identity: "second" });
      assert.equal(await Deno.readTextFile(path), made);

      // as another program leaves it: nothing says what it was made from
      await Deno.remove(path.replace(".json", ".made.json"));
      await Deno.writeTextFile(path, "{}");
      await prepareNeighbours(targets, { ...options, takePublished: true });
      assert.equal(await Deno.readTextFile(path), "{}");
      await prepareNeighbours(targets, options);
      assert.equal(await Deno.readTextFile(path), made);
    }
  }));

Deno.test("nearest windows are the nearest of all, every strong one has its share", () =>
  withFolder(async (folder) => {
    await writeCache(folder);
    const asked: string[] = [];
    const embedder: Embedder = {
      embed(texts) {
        asked.push(...texts);
        return Promise.resolve(texts.map(vectorOf));
      },
    };
    const near = { ...FIXED, windows: "grid", nonActivatingSource: "FAISS" } as const;
    const { train, nonActivating } = await loaded(folder, 3, near, embedder);
    const active = new Set(activeWindows(3).map(({ window }) => window));
    assert.equal(asked.length, 10 + WINDOWS - active.size);
    const text = ({ tokens }: Example) => tokens.join("");
    const silent = asked.slice(10);
    const similarity = (a: string, b: string) =>
      vectorOf(a).reduce((sum, value, i) => sum + value * vectorOf(b)[i], 0);
    for (const [i, query] of train.slice(0, 10).entries()) {
      const best = Math.max(...silent.map((other) => similarity(text(query), other)));
      const found = nonActivating.map((other) => similarity(text(query), text(other)));
      assert.ok(Math.max(...found) >= best - 1e-6, `window ${i}`);
    }
    assert.equal(new Set(nonActivating.map(windowOf)).size, 15);
    assert.ok(nonActivating.every((example) => !active.has(windowOf(example))));
    const paper = await loaded(folder, 3, { ...near, compat: "paper" }, embedder);
    const [first] = paper.train;
    const nearest = paper.nonActivating.map((other) => similarity(text(first), text(other)));
    assert.deepEqual(nearest, nearest.toSorted((a, b) => b - a));
    await refuses(() => loaded(folder, 3, near), /no model is named that tells them/);
  }));

/** Some vector of unit length that depends on the text. */
function vectorOf(text: string): Float32Array {
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  const twister = MersenneTwister.fromKey([1, ...codes]);
  const values = Array.from({ length: 6 }, () => twister.next() / 2 ** 32 - 0.5);
  const norm = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / norm);
}

Deno.test("caches that are not whole, or not as they should be, are refused", () =>
  withFolder(async (folder) => {
    await refuses(() => loaded(folder, 3, FIXED), /has no activations of layers.2.mlp/);
    await writeCache(folder);
    await refuses(
      () => loaded(folder, 3, { ...FIXED, exampleCtxLen: 7 }),
      /Rows of 32 tokens are no whole windows of 7/,
    );
    const place = join(folder, "latents", HOOKPOINT);
    await writeCache(folder, [[ROWS, 0, 3, 1]]);
    await refuses(() => loaded(folder, 3, FIXED), /has a location 60, expected a row below 60/);
    await Deno.remove(join(place, "0_7.safetensors"));
    await refuses(() => loaded(folder, 3, FIXED), /does not have the files of all latents/);
    await writeCache(folder);
    await Deno.remove(join(place, "config.json"));
    await refuses(() => loaded(folder, 3, FIXED), /is not whole: it has no config.json/);
  }));
