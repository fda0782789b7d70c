import assert from "node:assert/strict";
import { alternate, type Contender, median, ratio } from "./measure.ts";

Deno.test("median: odd and even counts, in any order", () => {
  assert.equal(median([5, 1, 9]), 5);
  assert.equal(median([10, 1, 2, 100]), 6);
});

Deno.test("alternate: warms up, takes turns, repeats short work and gives single times", async () => {
  const calls: string[] = [];
  const contender = (name: string, wallMs: number): Contender => ({
    name,
    run: (repeats) => {
      calls.push(`${name}${repeats}`);
      return Promise.resolve({ cpuMs: 2 * wallMs * repeats, wallMs: wallMs * repeats });
    },
  });
  const series = await alternate([contender("slow", 5000), contender("fast", 100)], 2);
  assert.deepEqual(calls, "slow1 slow1 fast1 fast1 slow1 fast7 slow1 fast7".split(" "));
  assert.deepEqual(series[1].rounds, [{ cpuMs: 200, wallMs: 100 }, { cpuMs: 200, wallMs: 100 }]);
});

Deno.test("ratio: pairs the rounds, so that a slow moment of the machine cancels out", () => {
  const rounds = (...times: number[]) => times.map((ms) => ({ cpuMs: ms, wallMs: 1 }));
  const ours = { name: "ours", rounds: rounds(10, 40, 12) };
  const peer = { name: "peer", rounds: rounds(5, 20, 3) };
  assert.deepEqual(ratio(ours, peer, "cpuMs"), { median: 0.5, least: 0.25, most: 0.5 });
});
