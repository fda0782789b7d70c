import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../formats/input_error.ts";
import { parseCsv, readTable, writeTable } from "./tables.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a table is written as CSV and Parquet, and read back", () =>
  inFolder(async (folder) => {
    const columns = {
      language: ["English", "日本語", 'a "b", c\nd'],
      index: [0, 131071, 2 ** 40],
      entropy: [0.1 + 0.2, 1e-7, -0.5],
      count: [1, null, 3],
      note: [null, "x", null],
    };
    await writeTable(join(folder, "sub/features"), columns);
    assert.deepEqual(await readTable(join(folder, "sub/features.parquet")), columns);
    assert.equal(
      Deno.readTextFileSync(join(folder, "sub/features.csv")),
      "language,index,entropy,count,note\n" +
        "English,0,0.30000000000000004,1,\n" +
        "日本語,131071,1e-7,,x\n" +
        '"a ""b"", c\nd",1099511627776,-0.5,3,\n',
    );
    assert.deepEqual(await readTable(join(folder, "sub/features.csv"), ["index"]), {
      index: ["0", "131071", "1099511627776"],
    });
    const names = Array.from(Deno.readDirSync(join(folder, "sub")), ({ name }) => name).sort();
    assert.deepEqual(names, ["features.csv", "features.parquet"]);
  }));

Deno.test("a table without rows keeps its columns", () =>
  inFolder(async (folder) => {
    await writeTable(join(folder, "empty"), { language: [], index: [] });
    assert.equal(Deno.readTextFileSync(join(folder, "empty.csv")), "language,index\n");
    assert.deepEqual(await readTable(join(folder, "empty.parquet")), { language: [], index: [] });
  }));

Deno.test("columns that do not fit together are a defect of the caller", async () => {
  await assert.rejects(writeTable("/nowhere/x", { a: [1, "x"] }), /column a mixes texts/);
  await assert.rejects(writeTable("/nowhere/x", { a: [1], b: [1, 2] }), /columns of lengths 1, 2/);
});

Deno.test("a place that cannot be written is named", () =>
  inFolder(async (folder) => {
    Deno.writeTextFileSync(join(folder, "file"), "");
    await assert.rejects(
      writeTable(join(folder, "file/x"), { a: [1] }),
      (error: Error) =>
        error instanceof InputError && /^Cannot write .*file\/x/.test(error.message),
    );
  }));

Deno.test("a CSV of more columns than any table has is refused before it is made", async () => {
  const table = (separators: number) =>
    new TextEncoder().encode(`text,"a ""b"",\n,c"${",".repeat(separators)}\nx\n`);
  await assert.rejects(parseCsv(table(4095), "x.csv"), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^x\.csv has 4097 columns, expected at most 4096; leave out those/);
    return true;
  });
  const columns = await parseCsv(new TextEncoder().encode('text,"a,b\n,"\nx,y\n'), "x.csv");
  assert.deepEqual(columns.text, ["x"]);
});
