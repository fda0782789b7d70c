import assert from "node:assert/strict";
import { inOrder } from "./in_order.ts";

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.test("items are prepared one by one in order, and no more are in work than allowed", async () => {
  const prepared: number[] = [];
  const ended: number[] = [];
  let [preparing, working, most] = [0, 0, 0];
  await inOrder(
    [30, 1, 20, 2, 10, 3],
    { atATime: 2 },
    async (item) => {
      assert.equal(++preparing, 1);
      await later(1);
      preparing--;
      prepared.push(item);
      return item;
    },
    async (item) => {
      most = Math.max(most, ++working);
      await later(item);
      working--;
      ended.push(item);
    },
  );
  assert.deepEqual(prepared, [30, 1, 20, 2, 10, 3]);
  assert.deepEqual([...ended].sort((a, b) => a - b), [1, 2, 3, 10, 20, 30]);
  assert.notDeepEqual(ended, prepared);
  assert.equal(most, 2);
});

Deno.test("an error ends the work, once what is under way has ended", async () => {
  const ended: number[] = [];
  const work = async (item: number) => {
    await later(item);
    if (item === 5) throw new Error("five");
    ended.push(item);
  };
  const items = [40, 5, 1, 1, 1, 1, 1, 1];
  await assert.rejects(
    inOrder(items, { atATime: 2 }, (item) => Promise.resolve(item), work),
    /five/,
  );
  assert.ok(ended.includes(40) && ended.length < items.length - 1, `${ended}`);

  ended.length = 0;
  const prepare = (item: number) =>
    item === 1 ? Promise.reject(new Error("one")) : Promise.resolve(item);
  await assert.rejects(inOrder([40, 1, 2], { atATime: 2 }, prepare, work), /one/);
  assert.deepEqual(ended, [40]);
});

Deno.test("nothing is begun after a signal, and what is under way ends", async () => {
  const ended: number[] = [];
  const stop = new AbortController();
  const work = async (item: number) => {
    if (item === 2) stop.abort(new Error("stop"));
    await later(item);
    ended.push(item);
  };
  const inTwos = { atATime: 2, signal: stop.signal };
  await assert.rejects(
    inOrder([20, 2, 3, 4], inTwos, (item) => Promise.resolve(item), work),
    /stop/,
  );
  assert.deepEqual(ended, [2, 20]);
});
