import assert from "node:assert/strict";
import { join } from "node:path";
import { demoReport } from "../../tests/fixtures/report/demo.ts";
import { hostileReport } from "../../tests/fixtures/report/hostile.ts";
import { withFolder } from "../../tests/support/run.ts";
import {
  IDENTIFICATION_FILE,
  readIdentification,
  writeIdentification,
} from "./identification_file.ts";

Deno.test("what identify found comes back, hostile texts and lone surrogates too", () =>
  withFolder(async (folder) => {
    assert.equal(await readIdentification(folder), undefined, "where identify has not run");
    for (const data of [demoReport(), hostileReport()]) {
      await writeIdentification(folder, data);
      assert.deepEqual(await readIdentification(folder), data);
    }
  }));

Deno.test("neurons, intervals, q-values and values that are none come back", () =>
  withFolder(async (folder) => {
    const data = demoReport();
    const sure = { entropyInterval: { low: 0.01, high: 0.25 }, qValue: 0.005, max: NaN };
    const changed = {
      ...data,
      method: { algorithm: "lape", topRate: 0.01, filterRate: 0.95, barRatio: 0.95 } as const,
      features: data.features.map((list) => list.map((feature) => ({ ...feature, ...sure }))),
    };
    await writeIdentification(folder, changed);
    assert.deepEqual(await readIdentification(folder), changed);
  }));

Deno.test("a damaged file is told from none, in one sentence", () =>
  withFolder(async (folder) => {
    await writeIdentification(folder, demoReport());
    const path = join(folder, IDENTIFICATION_FILE);
    const written = JSON.parse(await Deno.readTextFile(path));
    const refused = async (change: Record<string, unknown>, message: RegExp) => {
      await Deno.writeTextFile(path, JSON.stringify({ ...written, ...change }));
      await assert.rejects(readIdentification(folder), { name: "InputError", message });
    };
    await refused({ width: -1 }, /identification\.json: width: .*; run identify again/);
    await refused({ format: "babelscope identification 2" }, /: format: /);
    await refused({ features: [[{ layer: 0 }]] }, /: features\.0\.0\.index: /);
  }));
