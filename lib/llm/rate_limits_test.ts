import assert from "node:assert/strict";
import { seededRandom } from "../stats/random.ts";
import { JumpingClock } from "../../tests/support/jumping_clock.ts";
import { RateLimits, type Rates } from "./rate_limits.ts";

interface Job {
  readonly tokens: number;
  readonly lasts: number;
}

interface Done extends Job {
  readonly from: number;
  readonly to: number;
}

/** Runs jobs under limits, all asked for at once, on a clock that jumps. */
async function runJobs(rates: Rates, jobs: readonly Job[]): Promise<Done[]> {
  const clock = new JumpingClock();
  const limits = new RateLimits(rates, clock);
  return await Promise.all(jobs.map(async (job) => {
    using _turn = await limits.turn(job.tokens);
    const from = clock.now();
    await clock.sleep(job.lasts);
    return { ...job, from, to: clock.now() };
  }));
}

const starts = (done: readonly Done[]) => done.map(({ from }) => from);

Deno.test("no more at once than allowed, in the order of asking", async () => {
  const jobs = [5, 3, 4, 1, 1].map((lasts) => ({ tokens: 1, lasts }));
  assert.deepEqual(starts(await runJobs({ concurrency: 2 }, jobs)), [0, 0, 3, 5, 6]);
  assert.deepEqual(starts(await runJobs({ concurrency: 1 }, jobs)), [0, 5, 8, 12, 13]);
});

Deno.test("no more in a minute than allowed", async () => {
  const jobs = Array.from({ length: 5 }, () => ({ tokens: 1, lasts: 1 }));
  const rates = { concurrency: 9, requestsPerMinute: 2 };
  assert.deepEqual(starts(await runJobs(rates, jobs)), [0, 0, 60_000, 60_000, 120_000]);
});

Deno.test("no more tokens in a minute than allowed; a request of more than that goes alone", async () => {
  const jobs = [60, 40, 10, 500, 1].map((tokens) => ({ tokens, lasts: 1 }));
  const rates = { concurrency: 9, tokensPerMinute: 100 };
  assert.deepEqual(starts(await runJobs(rates, jobs)), [0, 0, 60_000, 120_000, 180_000]);
});

Deno.test("all limits hold at any time, whatever the jobs", async () => {
  const random = seededRandom(7);
  const below = (n: number) => 1 + Math.floor(random() * n);
  for (let round = 0; round < 10; round++) {
    const rates = {
      concurrency: below(4),
      requestsPerMinute: below(6),
      tokensPerMinute: 50 + below(100),
    };
    const jobs = Array.from({ length: 25 }, () => ({ tokens: below(60), lasts: below(40_000) }));
    const done = await runJobs(rates, jobs);
    for (const { from } of done) {
      const during = done.filter((job) => job.from <= from && from < job.to);
      assert.ok(during.length <= rates.concurrency);
      const minute = done.filter((job) => from - 60_000 < job.from && job.from <= from);
      assert.ok(minute.length <= rates.requestsPerMinute);
      assert.ok(minute.reduce((sum, { tokens }) => sum + tokens, 0) <= rates.tokensPerMinute);
    }
    assert.deepEqual(starts(done), starts(done).toSorted((a, b) => a - b));
  }
});

Deno.test("a pause holds everybody", async () => {
  const clock = new JumpingClock(1000);
  const limits = new RateLimits({ concurrency: 3 }, clock);
  (await limits.turn(1))[Symbol.dispose]();
  assert.equal(clock.now(), 1000);
  limits.pause(20_000);
  limits.pause(5000);
  await Promise.all([limits.turn(1), limits.turn(1)]);
  assert.equal(clock.now(), 21_000);
});

Deno.test("an aborted signal ends the waiting of all", async () => {
  const stop = new AbortController();
  const limits = new RateLimits({ concurrency: 1 }, new JumpingClock(), stop.signal);
  const turn = await limits.turn(1);
  const waiting = [limits.turn(1), limits.turn(1)].map((wait) =>
    assert.rejects(wait, (error) => error === stop.signal.reason)
  );
  stop.abort(new Error("enough"));
  turn[Symbol.dispose]();
  await Promise.all(waiting);
});
