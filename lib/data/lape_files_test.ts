import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT, withFolder } from "../../tests/support/run.ts";
import { InputError } from "../formats/input_error.ts";
import { lapeResultJson } from "../lape/lape_json.ts";
import { readLapeFile } from "./lape_files.ts";

const FIXTURES = join(ROOT, "tests/fixtures/torch");

/** What make_torch_files.py says that its lape_all.pt means; null stands for NaN. */
const MEANING = JSON.parse(
  await Deno.readTextFile(join(FIXTURES, "lape_result.json")),
  (key, value) => key === "globalAvg" && value === null ? NaN : value,
);

Deno.test("a published lape_all.pt is what its writer meant", async () => {
  const result = await readLapeFile(join(FIXTURES, "lape_all.pt"));
  assert.deepEqual(result, MEANING);
});

Deno.test("a lape.json made from it is the same result, whatever the file is called", () =>
  withFolder(async (folder) => {
    const result = await readLapeFile(join(FIXTURES, "lape_all.pt"));
    const path = join(folder, "lape.pt");
    await Deno.writeTextFile(path, "\n " + JSON.stringify(lapeResultJson(result)));
    assert.deepEqual(await readLapeFile(path), result);
  }));

const REFUSED: readonly [string, RegExp][] = [
  ["hostile/text.pt", /is neither a lape\.json nor a lape_all\.pt/],
  ["hostile/empty.pt", /is neither/],
  ["hostile/plain.pkl", /is neither/],
  ["hostile/os_system_2.pt", /asks for "posix\.system"/],
  ["tensors.pt", /has no final_indice, expected the keys of a lape_all\.pt/],
  ["tensors.json", /is not as expected in a lape\.json/],
  ["no_such.pt", /does not exist/],
];

for (const [file, message] of REFUSED) {
  Deno.test(`refused: ${file}`, () =>
    assert.rejects(readLapeFile(join(FIXTURES, file)), (error: Error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /\.$/);
      return true;
    }));
}
