import assert from "node:assert/strict";
import { remainder, tokenRatesTable } from "./token_rates.ts";

const series = (name: string, ...rounds: [cpuMs: number, wallMs: number][]) => ({
  name,
  rounds: rounds.map(([cpuMs, wallMs]) => ({ cpuMs, wallMs })),
});

Deno.test("rates: tokens per second, and the ratio of each round to the peer's", () => {
  const ours = series("babelscope", [100, 50], [200, 100], [400, 200]);
  const fast = series("PyTorch", [80, 25], [180, 50], [300, 100]);
  const slow = series("another", [1000, 1000], [2000, 2000], [4000, 4000]);
  const work = { name: "decode", tokens: 1000, ours, peers: [fast, slow], goal: 0.8 };
  const cells = (lines: string[]) =>
    lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const byCpu = cells(tokenRatesTable([work], "cpuMs"));
  assert.deepEqual(byCpu.slice(2), [
    [
      ...["decode", "5,000", "10,000", "PyTorch", "5,556", "20,000"],
      ...["0.80 (0.75–0.90)", "0.50 (0.50–0.50)", "≥ 0.80 met"],
    ],
    [
      ...["", "", "", "another", "500", "500"],
      ...["10.00 (10.00–10.00)", "20.00 (20.00–20.00)", ""],
    ],
  ]);
  const byWall = cells(tokenRatesTable([work], "wallMs"));
  assert.equal(byWall[2].at(-1), "≥ 0.80 missed");
  const alone = cells(tokenRatesTable([{ ...work, tokens: 10, peers: [] }], "cpuMs"));
  assert.deepEqual(alone[2], ["decode", "50.0", "100", "no peer", "", "", "", "", ""]);
});

Deno.test("rates: what remains is taken off round by round", () => {
  const whole = series("whole", [10, 5], [20, 9]);
  const part = series("part", [4, 1], [5, 2]);
  assert.deepEqual(remainder(whole, part), series("whole", [6, 4], [15, 7]));
});
