import assert from "node:assert/strict";
import ids from "../../../tests/fixtures/train_data/lists.json" with { type: "json" };
import { refuses } from "../../../tests/support/refusals.ts";
import { memorySource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { openParquet } from "./parquet.ts";

const FORMS = [
  "plain",
  "dictionary",
  "int64_zstd",
  "v2",
  "fixed",
  "required",
  "small_pages",
  "delta",
];

const fixture = (name: string) =>
  Deno.readFile(new URL(`../../../tests/fixtures/train_data/${name}.parquet`, import.meta.url));

async function lists(bytes: Uint8Array, begin = 0, column = "input_ids") {
  const file = await openParquet(memorySource(bytes), "x.parquet");
  return await Array.fromAsync(file.readLists(column, begin));
}

for (const form of FORMS) {
  Deno.test(`lists are those that pyarrow wrote: ${form}`, async () => {
    const bytes = await fixture(`lists_${form}`);
    for (const begin of [0, 1, 19, 20, 41, 49, 50]) {
      assert.deepEqual(await lists(bytes, begin), ids.slice(begin), `from ${begin}`);
    }
  });
}

Deno.test("flat columns beside lists are read as ever", async () => {
  const file = await openParquet(memorySource(await fixture("lists_plain")), "x.parquet");
  const [numbers] = await file.read(["id"], 18, 22);
  assert.deepEqual(numbers, [18, 19, 20, 21]);
});

Deno.test("anything but lists of whole numbers is refused", async () => {
  const read = async (name: string) => await lists(await fixture(`refused_${name}`));
  for (const name of ["null", "hole", "empty"]) {
    await refuses(() => read(name), /x\.parquet .*\(a list that is empty, or lacks a value/);
  }
  for (const name of ["texts", "deep"]) {
    await refuses(() => read(name), /no lists of whole numbers in the column "input_ids"/);
  }
  const plain = await fixture("lists_plain");
  await refuses(() => lists(plain, 0, "id"), /no lists of whole numbers in the column "id"/);
  await refuses(() => lists(plain, 0, "ids"), /has no column "ids" but id, input_ids/);
});

/** Seeded, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

Deno.test("damaged files give a sentence or lists, never anything else", async () => {
  const next = random(11);
  const pick = (n: number) => Math.floor(next() * n);
  for (const form of FORMS) {
    const whole = await fixture(`lists_${form}`);
    for (let round = 0; round < 60; round++) {
      const bytes = whole.slice();
      const from = round % 2 ? 0 : bytes.length - 2000;
      for (let flip = pick(4); flip >= 0; flip--) {
        bytes[from + pick(bytes.length - from)] = [0, 0xff, 0x7f, 0x80, pick(256)][pick(5)];
      }
      try {
        for (const list of await lists(bytes)) assert.ok(list.every(Number.isInteger));
      } catch (error) {
        assert.ok(error instanceof InputError, `${form} ${round}: ${(error as Error).stack}`);
      }
    }
  }
});
