import assert from "node:assert/strict";
import { watchHostMemory } from "./host_memory.ts";

const MIB = 2 ** 20;

Deno.test("host memory: the peak sees what was held and forgets nothing, accounted memory apart", async () => {
  let accounted = 0;
  using watch = watchHostMemory(() => accounted);
  const before = watch.peak;
  let held: Uint8Array | undefined = new Uint8Array(256 * MIB).fill(1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const during = watch.peak;
  assert.ok(during - before > 200 * MIB, `${(during - before) / MIB} MiB more`);
  assert.equal(held.length, 256 * MIB);
  held = undefined;
  accounted = 10_000 * MIB;
  assert.equal(watch.peak, during);
});
