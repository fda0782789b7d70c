import assert from "node:assert/strict";
import { GpuQueue, QueueFull } from "./gpu_queue.ts";

/** A job that ends when it is told to. */
function job() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let started = false;
  return {
    run: () => {
      started = true;
      return promise;
    },
    started: () => started,
    end: resolve,
    fail: reject,
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("one job at a time, in order, and everybody knows how many come first", async () => {
  const queue = new GpuQueue();
  const jobs = [job(), job(), job()];
  const told: number[][] = [[], [], []];
  const results = jobs.map(({ run }, i) => queue.run(run, undefined, (n) => told[i].push(n)));
  await settled();
  assert.deepEqual(jobs.map(({ started }) => started()), [true, false, false]);
  assert.deepEqual(told.map((list) => list.at(-1)), [undefined, 1, 2]);
  jobs[0].end("a");
  await settled();
  assert.deepEqual(jobs.map(({ started }) => started()), [true, true, false]);
  assert.equal(told[2].at(-1), 1);
  jobs[1].fail(new Error("broken"));
  await assert.rejects(results[1], /broken/);
  jobs[2].end("c");
  assert.deepEqual([await results[0], await results[2]], ["a", "c"]);
  assert.equal(queue.length, 0);
});

Deno.test("nobody comes in between a job that ends and the next", async () => {
  const queue = new GpuQueue();
  const [first, second, third] = [job(), job(), job()];
  const one = queue.run(first.run);
  const two = queue.run(second.run);
  first.end("");
  await one;
  const three = queue.run(third.run);
  await settled();
  assert.deepEqual([second.started(), third.started()], [true, false]);
  second.end("");
  third.end("");
  await Promise.all([two, three]);
});

Deno.test("who is gone loses the place, and the others move up", async () => {
  const queue = new GpuQueue();
  const [running, left, waiting] = [job(), job(), job()];
  const gone = new AbortController();
  const told: number[] = [];
  const first = queue.run(running.run);
  const second = queue.run(left.run, gone.signal);
  const third = queue.run(waiting.run, undefined, (n) => told.push(n));
  gone.abort(new Error("gone"));
  await assert.rejects(second, /gone/);
  assert.deepEqual(told, [2, 1]);
  running.end("");
  waiting.end("");
  await Promise.all([first, third]);
  assert.equal(left.started(), false);
  await assert.rejects(queue.run(left.run, gone.signal), /gone/);
  assert.equal(queue.length, 0);
});

Deno.test("who leaves at the very turn is not run, and the queue goes on", async () => {
  const queue = new GpuQueue();
  const [running, left, waiting] = [job(), job(), job()];
  const gone = new AbortController();
  const first = queue.run(running.run);
  const second = queue.run(left.run, gone.signal);
  // told that one is before it: it is the second's turn, which has not begun
  const third = queue.run(waiting.run, undefined, (ahead) => {
    if (ahead === 1) gone.abort(new Error("gone"));
  });
  running.end("");
  await first;
  await assert.rejects(second, /gone/);
  assert.equal(left.started(), false);
  waiting.end("third");
  assert.equal(await third, "third");
  assert.equal(await queue.run(() => Promise.resolve("next")), "next");
});

Deno.test("a queue that is full refuses", async () => {
  const queue = new GpuQueue(1);
  const [running, waiting] = [job(), job()];
  const both = [queue.run(running.run), queue.run(waiting.run)];
  await assert.rejects(queue.run(job().run), QueueFull);
  running.end("");
  waiting.end("");
  await Promise.all(both);
});
