import assert from "node:assert/strict";
import { runCommand, withFolder } from "../tests/support/run.ts";
import { appendResults, resultsTable } from "./results.ts";

const series = (name: string, cpuMs: number, wallMs: number) => ({
  name,
  rounds: [{ cpuMs, wallMs }],
});

const MEASUREMENTS = [
  {
    name: "matmul 1 × 2→3, bf16",
    flops: 2e9,
    ours: series("babelscope", 100, 50),
    peers: [series("NumPy", 31, 20), series("PyTorch", 20, 10)],
    goal: 0.3,
  },
  {
    name: "matmul 1 × 2→3, f32",
    flops: 1e9,
    ours: series("babelscope", 2000, 1000),
    peers: [],
  },
];

const CIRCUMSTANCES = {
  adapter: "llvmpipe",
  driver: "",
  family: "texture",
  peers: ["NumPy 2", "PyTorch 2"],
  command: "deno task bench",
};

Deno.test("results: speed is the peer's time over ours, the goal is for the first peer", () => {
  const lines = resultsTable(MEASUREMENTS).split("\n").map((line) => line.split(/\s{2,}/));
  const [, , numpy, torch, alone] = lines;
  assert.deepEqual(numpy.slice(1), [
    ...["100", "50.0", "20.0", "NumPy", "31.0", "20.0"],
    ...["0.31 (0.31–0.31)", "0.40", "≥ 0.30 met"],
  ]);
  assert.deepEqual(torch.slice(1), ["PyTorch", "20.0", "10.0", "0.20 (0.20–0.20)", "0.20"]);
  assert.deepEqual(alone.slice(1), ["2000", "1000", "0.5", "no peer"]);
});

Deno.test("results: added below what is there, laid out as the formatter wants it", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/RESULTS.md`;
    await Deno.writeTextFile(path, "# Results\n");
    for (let i = 0; i < 2; i++) await appendResults(path, CIRCUMSTANCES, MEASUREMENTS);
    const text = await Deno.readTextFile(path);
    assert.match(text, /^# Results\n\n## \d{4}-\d\d-\d\d \d\d:\d\d UTC\n\n- adapter: llvmpipe\n/);
    assert.equal(text.match(/^## /gm)?.length, 2);
    const { code, stderr } = await runCommand("deno", ["fmt", "--check", path]);
    assert.equal(code, 0, stderr);
  });
});
