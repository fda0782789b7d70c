import assert from "node:assert/strict";
import { alternate, type Contender, median, medianTime, ratio } from "./measure.ts";

Deno.test("median: odd and even counts, in any order", () => {
  assert.equal(median([5, 1, 9]), 5);
  assert.equal(median([10, 1, 2, 100]), 6);
});

/** Takes `wallMs` per execution and `awaitMs` per run; writes down its runs. */
function contenderOf(name: string, wallMs: number, calls: string[], awaitMs = 0): Contender {
  return {
    name,
    run: (repeats) => {
      calls.push(`${name}${repeats}`);
      return Promise.resolve({ cpuMs: 2 * wallMs * repeats, wallMs: wallMs * repeats + awaitMs });
    },
  };
}

Deno.test("alternate: warms up, takes turns, repeats short work and gives single times", async () => {
  const calls: string[] = [];
  const contenders = [contenderOf("slow", 5000, calls), contenderOf("fast", 250, calls)];
  const series = await alternate(contenders, 2, 1000);
  assert.deepEqual(calls, "slow1 slow1 fast1 fast1 slow1 fast4 slow1 fast4".split(" "));
  assert.deepEqual(series[1].rounds, [{ cpuMs: 500, wallMs: 250 }, { cpuMs: 500, wallMs: 250 }]);
  assert.equal(medianTime(series[1], "cpuMs"), 500);
});

Deno.test("alternate: what an await hides is run more often, until its own time tells", async () => {
  const calls: string[] = [];
  await alternate([contenderOf("tiny", 1, calls, 10)], 1, 500);
  // 1 and 8 take 11 and 18 ms, 64 take 74 ms, 512 take 522 ms: 491 of them make 500 ms.
  assert.deepEqual(calls, "tiny1 tiny1 tiny8 tiny64 tiny512 tiny491".split(" "));
});

Deno.test("alternate: work that takes no time at all is not repeated for ever", async () => {
  const calls: string[] = [];
  await alternate([contenderOf("none", 0, calls)], 1);
  assert.equal(calls.at(-1), "none8192");
});

Deno.test("ratio: pairs the rounds, so that a slow moment of the machine cancels out", () => {
  const rounds = (...times: number[]) => times.map((ms) => ({ cpuMs: ms, wallMs: 1 }));
  const ours = { name: "ours", rounds: rounds(10, 40, 12) };
  const peer = { name: "peer", rounds: rounds(5, 20, 3) };
  assert.deepEqual(ratio(ours, peer, "cpuMs"), { median: 0.5, least: 0.25, most: 0.5 });
});
