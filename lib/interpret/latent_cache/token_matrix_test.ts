/** Which rows of a corpus an interpretation reads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeCorpus } from "../../../tests/support/folders.ts";
import { refuses } from "../../../tests/support/refusals.ts";
import { withFolder } from "../../../tests/support/run.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { userAccess } from "../../subject/access.ts";
import { openModelTokenizer } from "../../subject/open_tokenizer.ts";
import { splitName, splitRanges } from "./splits.ts";
import {
  openTokenMatrix,
  rowsWithin,
  type TokenMatrixOptions,
  withoutToken,
} from "./token_matrix.ts";

/** Rows of 4 tokens: 10 · row + position, but for position 0, which is always 7. */
function rowsOf(...parts: readonly (readonly [language: string, rows: number])[]): TokenRows {
  return {
    rows: parts.reduce((sum, [, rows]) => sum + rows, 0),
    contextLength: 4,
    parts: parts.map(([language, rows]) => ({ language, rows })),
    leftOver: 1,
    sha256: {},
    read: (rows) =>
      Promise.resolve(
        Uint32Array.from(
          { length: 4 * rows.length },
          (_, i) => i % 4 === 0 ? 7 : 10 * rows[Math.floor(i / 4)] + i % 4,
        ),
      ),
    [Symbol.dispose]() {},
  };
}

async function firstIds(rows: TokenRows): Promise<number[]> {
  const ids = await rows.read(Array.from({ length: rows.rows }, (_, i) => i));
  return [...ids].filter((_, i) => i % 4 === 1);
}

Deno.test("fewer tokens than there are: every language keeps its share", async () => {
  const rows = rowsOf(["German", 6], ["English", 2], ["Thai", 4]);
  const half = rowsWithin(rows, { nTokens: 27, batchSize: 5 });
  assert.deepEqual(half.parts, [
    { language: "German", rows: 3 },
    { language: "English", rows: 1 },
    { language: "Thai", rows: 2 },
  ]);
  assert.deepEqual(await firstIds(half), [1, 11, 21, 61, 81, 91]);
  assert.equal(rowsWithin(rows, { nTokens: 48, batchSize: 5 }), rows);
});

Deno.test("as published the first rows are read, in whole batches", async () => {
  const rows = rowsOf(["German", 6], ["English", 2], ["Thai", 4]);
  const first = rowsWithin(rows, { nTokens: 46, batchSize: 5, compat: "paper" });
  assert.deepEqual(await firstIds(first), [1, 11, 21, 31, 41, 51, 61, 71, 81, 91]);
  assert.deepEqual(first.parts.map(({ rows }) => rows), [6, 2, 2]);
  assert.equal(rowsWithin(rows, { nTokens: 46, batchSize: 32, compat: "paper" }).rows, 0);
});

Deno.test("without BOS rows are cut anew, each language's by itself", async () => {
  const rows = rowsOf(["German", 3], ["English", 1], ["Thai", 2]);
  const bare = await withoutToken(rows, 7);
  assert.deepEqual(bare.parts, [{ language: "German", rows: 2 }, { language: "Thai", rows: 1 }]);
  assert.deepEqual([...await bare.read([2, 0, 1])], [41, 42, 43, 51, 1, 2, 3, 11, 12, 13, 21, 22]);
  // 1 before, 1 + 3 + 2 tokens at the ends of languages
  assert.equal(bare.leftOver, 7);
  const other = await withoutToken(rows, 41);
  assert.notDeepEqual(other.sha256, bare.sha256);
});

Deno.test("texts: by default the same rows on every machine, as published they depend on it", () =>
  withFolder(async (folder) => {
    const model = await openModelTokenizer(undefined, userAccess());
    const texts = (word: string) => Array.from({ length: 30 }, (_, i) => `${word} number ${i}.`);
    await writeCorpus(join(folder, "texts"), { en: texts("Text"), de: texts("Würde") });
    let runs = 0;
    const open = (changed: Partial<TokenMatrixOptions>) =>
      openTokenMatrix(
        {
          split: "train",
          datasetConfigs: [`${folder}/texts:{en,de}`],
          contextLength: 16,
          processes: 1,
          nTokens: 1e6,
          batchSize: 1,
          filterBos: false,
          ...changed,
        },
        model,
        userAccess(),
        join(folder, `rows${runs++}`),
      );
    using one = await open({});
    using many = await open({ processes: 6 });
    assert.deepEqual(many.sha256, one.sha256);
    assert.deepEqual(one.parts.map(({ language }) => language), ["English", "German"]);
    using paper = await open({ compat: "paper" });
    using shards = await open({ compat: "paper", processes: 3 });
    assert.ok(shards.rows < paper.rows && paper.rows < one.rows);
    using bare = await open({ filterBos: true });
    const all = await bare.read(Array.from({ length: bare.rows }, (_, i) => i));
    assert.ok(bare.rows > 10 && !all.includes(model.tokenizer.bosId ?? -1));
    await refuses(
      () => open({ nTokens: 15 }),
      /The texts fill \d+ rows of 16 tokens, of which none/,
    );
  }));

Deno.test("files of a hookpoint are named as published", () => {
  assert.deepEqual(splitRanges(131072, 5).map(splitName), [
    "0_26213.safetensors",
    "26214_52427.safetensors",
    "52428_78642.safetensors",
    "78643_104856.safetensors",
    "104857_131071.safetensors",
  ]);
  assert.deepEqual(splitRanges(2, 5).map(splitName), ["0_0.safetensors", "1_1.safetensors"]);
});
