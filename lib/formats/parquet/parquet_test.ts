import assert from "node:assert/strict";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import cells from "../../../tests/fixtures/datasets/cells.json" with { type: "json" };
import { type ByteSource, memorySource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { openParquet } from "./parquet.ts";

const FORMS = ["plain", "snappy", "zstd", "gzip", "brotli", "lz4", "delta"];
const COLUMNS = ["id", "big", "text", "repeated", "score", "flag"] as const;

const fixture = (name: string) =>
  Deno.readFile(new URL(`../../../tests/fixtures/datasets/${name}.parquet`, import.meta.url));

const open = async (name: string) =>
  await openParquet(memorySource(await fixture(name)), `${name}.parquet`);

/** A source that remembers what was read. */
function watched(bytes: Uint8Array): ByteSource & { ranges: [number, number][] } {
  const source = memorySource(bytes);
  const ranges: [number, number][] = [];
  return {
    size: source.size,
    ranges,
    read(begin, end) {
      ranges.push([begin, end]);
      return source.read(begin, end);
    },
  };
}

for (const form of FORMS) {
  Deno.test(`cells are those that pyarrow wrote: ${form}`, async () => {
    const file = await open(form);
    assert.equal(file.rows, 100);
    assert.deepEqual(file.groups, [40, 40, 20]);
    assert.deepEqual(file.columns, [...COLUMNS, "wide"]);
    for (const [begin, end] of [[0, 100], [0, 1], [39, 41], [17, 93], [99, 100], [50, 50]]) {
      const read = await file.read(COLUMNS, begin, end);
      const numbers = read.map((column) =>
        column.map((cell) => typeof cell === "bigint" ? Number(cell) : cell)
      );
      assert.deepEqual(numbers, COLUMNS.map((name) => cells[name].slice(begin, end)), `${begin}`);
    }
    const [big] = await file.read(["big"], 0, 100);
    const exact = Array.from({ length: 100 }, (_, i) => i % 3 ? BigInt(i) ** 9n : BigInt(-i));
    assert.deepEqual(big.map((cell) => BigInt(cell as number | bigint)), exact);
  });
}

Deno.test("hyparquet reads the same cells", async () => {
  const { buffer } = await fixture("snappy");
  const rows = await parquetReadObjects({ file: buffer, compressors, columns: ["text", "id"] });
  const [text, id] = await (await open("snappy")).read(["text", "id"], 0, 100);
  assert.deepEqual(rows.map((row) => row.text ?? null), text);
  assert.deepEqual(rows.map((row) => row.id), id);
});

Deno.test("only the footer and the pages of the rows and columns asked for are read", async () => {
  const bytes = await fixture("plain");
  const source = watched(bytes);
  const file = await openParquet(source, "plain.parquet");
  assert.deepEqual(source.ranges, [[0, bytes.length]], "a small file's footer comes with one read");
  source.ranges.length = 0;
  await file.read(["repeated"], 5, 9);
  const total = source.ranges.reduce((sum, [begin, end]) => sum + end - begin, 0);
  assert.equal(source.ranges.length, 1);
  assert.ok(total < bytes.length / 10, `${total} of ${bytes.length} bytes`);
  source.ranges.length = 0;
  await file.read(["text", "id"], 45, 60);
  assert.equal(source.ranges.length, 2, "one row group, two columns");
});

Deno.test("what the footer says beside the table", async () => {
  const { metadata } = await open("labels");
  const { info } = JSON.parse(metadata.get("huggingface")!);
  assert.deepEqual(info.features.label.names, ["swe", "eng", "deu", "zh-yue"]);
});

async function refused(work: () => Promise<unknown>, why: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof InputError, error.stack ?? "");
    assert.match(error.message, why);
    assert.match(error.message, /^[^\n]+\.$/);
    return true;
  });
}

Deno.test("columns without plain values are refused by name", async () => {
  const file = await open("nested");
  await refused(() => file.read(["list"], 0, 1), /nested values in the column "list"/);
  await refused(() => file.read(["text"], 0, 1), /nested values in the column "text"/);
  await refused(() => file.read(["raw"], 0, 1), /nested.parquet is not a readable Parquet file/);
  await refused(() => file.read(["en"], 0, 1), /has no column "en" but text, list, raw;/);
  await refused(() => file.read(["__proto__"], 0, 1), /has no column "__proto__"/);
});

Deno.test("files that are not Parquet, or cut short", async () => {
  const bytes = await fixture("snappy");
  const reopened = async (damaged: Uint8Array) => {
    const file = await openParquet(memorySource(damaged), "x.parquet");
    return await file.read(COLUMNS, 0, file.rows);
  };
  await refused(() => reopened(new Uint8Array()), /x\.parquet is not .* does not end with PAR1/);
  await refused(() => reopened(new TextEncoder().encode("PAR1PAR1")), /does not end with PAR1/);
  await refused(() => reopened(bytes.slice(0, -1)), /does not end with PAR1/);
  const footer = bytes.slice();
  footer.set([0xff, 0xff, 0xff, 0x7f], bytes.length - 8);
  await refused(() => reopened(footer), /claims a footer of 2147483655 bytes, in 12768/);
  await refused(() => reopened(bytes.slice(4000)), /is not a readable Parquet file \(/);
});

/** Seeded, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

Deno.test("damaged files give a sentence or cells, never anything else", async () => {
  const next = random(7);
  const pick = (n: number) => Math.floor(next() * n);
  for (const form of FORMS) {
    const whole = await fixture(form);
    for (let round = 0; round < 60; round++) {
      const bytes = whole.slice();
      // page headers are everywhere, the footer in the last part
      const from = round % 2 ? 0 : bytes.length - 4000;
      for (let flip = pick(4); flip >= 0; flip--) {
        bytes[from + pick(bytes.length - from)] = [0, 0xff, 0x7f, 0x80, pick(256)][pick(5)];
      }
      try {
        const file = await openParquet(memorySource(bytes), "x.parquet");
        const end = Math.min(file.rows, 100);
        for (const column of await file.read(COLUMNS, 0, end)) assert.equal(column.length, end);
      } catch (error) {
        assert.ok(error instanceof InputError, `${form} ${round}: ${(error as Error).stack}`);
      }
    }
  }
});
