import assert from "node:assert/strict";
import { runCommand, withFolder } from "../tests/support/run.ts";
import { type Measurement, measurementTable, ResultsEntry } from "./results.ts";

const series = (name: string, cpuMs: number, wallMs: number) => ({
  name,
  rounds: [{ cpuMs, wallMs }],
});

const PRODUCT: Measurement = {
  name: "1 × 2→3, bf16",
  flops: 2e9,
  ours: series("babelscope", 100, 50),
  peers: [series("NumPy", 31, 20), series("PyTorch", 20, 10)],
  ceiling: { series: series("fma", 10, 4), amount: 8, copy: false },
  goals: [{ of: "peer", least: 0.3 }, { of: "peak", least: 0.9 }],
};

const ALONE: Measurement = {
  name: "1 × 2→3, f32",
  flops: 1e9,
  ours: series("babelscope", 2000, 1000),
  peers: [],
  goals: [{ of: "peer", least: 0.3 }],
};

/** The cells of each row below the header and the rule. */
function cells(lines: readonly string[]): string[][] {
  return lines.slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("table: speed is the peer's time over ours; shares and goals of the first row", () => {
  const lines = measurementTable([PRODUCT, ALONE], "cpuMs");
  assert.match(lines[0], /CPU ms .*wall ms .*GFLOP \/ CPU s .*of peak .*peer CPU ms .*by wall/);
  assert.doesNotMatch(lines[0], /TopK/);
  const [numpy, torch, alone] = cells(lines);
  assert.deepEqual(numpy, [
    ...["1 × 2→3, bf16", "100", "50.0", "20.0", "80 %", "NumPy", "31.0", "20.0"],
    ...["0.31 (0.31–0.31)", "0.40", "≥ 0.30 met; ≥ 90 % of peak missed"],
  ]);
  const empty = Array(5).fill("");
  assert.deepEqual(torch, [...empty, "PyTorch", "20.0", "10.0", "0.20 (0.20–0.20)", "0.20", ""]);
  // A goal against peers is neither met nor missed where there are none.
  assert.deepEqual(alone, ["1 × 2→3, f32", "2000", "1000", "0.5", "", "no peer", ...empty]);
});

Deno.test("table: on a GPU wall time judges; TopK is what the product leaves over", () => {
  const encode: Measurement = {
    ...PRODUCT,
    ceiling: undefined,
    product: series("product", 100, 47),
    goals: [{ of: "peer", least: 1 }, { of: "TopK", most: 0.1 }, { of: "peak", least: 0.7 }],
  };
  const lines = measurementTable([encode], "wallMs");
  assert.doesNotMatch(lines[0], /CPU|of peak/);
  assert.deepEqual(cells(lines)[0], [
    ...["1 × 2→3, bf16", "50.0", "40.0", "6 %", "NumPy", "20.0", "0.40 (0.40–0.40)"],
    "≥ 1.00 missed; TopK ≤ 10 % met",
  ]);
});

Deno.test("table: work that memory bounds is a share of a copy", () => {
  const ceiling = { series: series("copy", 10, 4), amount: 3, copy: true };
  const [[...row]] = cells(measurementTable([{ ...ALONE, ceiling }], "cpuMs"));
  assert.equal(row[4], "2 % of copy");
});

Deno.test("entry: one date for all sections, each in the file as soon as it is added", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/RESULTS.md`;
    await Deno.writeTextFile(path, "# Results\n");
    const entry = await ResultsEntry.open(path, {
      adapter: "llvmpipe",
      driver: "",
      family: "texture",
      peers: ["NumPy 2", "PyTorch 2"],
      command: "deno task bench",
    });
    for (const title of ["Kernels", "Encode"]) {
      await entry.add({ title, lines: measurementTable([PRODUCT, ALONE], "cpuMs") });
      assert.match(await Deno.readTextFile(path), new RegExp(`### ${title}\n\n\\| work`));
    }
    const text = await Deno.readTextFile(path);
    assert.match(text, /^# Results\n\n## \d{4}-\d\d-\d\d \d\d:\d\d UTC\n\n- adapter: llvmpipe\n/);
    assert.equal(text.match(/^## /gm)?.length, 1);
    const { code, stderr } = await runCommand("deno", ["fmt", "--check", path]);
    assert.equal(code, 0, stderr);
  });
});

Deno.test("entry: a file that is not there is begun, one that cannot be is named before anything is measured", async () => {
  const circumstances = { adapter: "", driver: "", family: "", peers: [], command: "" };
  await withFolder(async (folder) => {
    const path = `${folder}/new/RESULTS.md`;
    const entry = await ResultsEntry.open(path, circumstances);
    await entry.add({ title: "Kernels", lines: [] });
    assert.match(await Deno.readTextFile(path), /^## \d{4}-/);
    const beneathFile = ResultsEntry.open(`${path}/RESULTS.md`, circumstances);
    await assert.rejects(beneathFile, /^InputError: .*RESULTS\.md/);
  });
});
