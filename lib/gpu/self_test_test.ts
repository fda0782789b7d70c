import assert from "node:assert/strict";
import { FAMILIES, openTestGpu } from "../../tests/support/gpu.ts";
import type { Gpu } from "./device.ts";
import { GpuError } from "./memory.ts";
import { type ByteStore, selfTest } from "./self_test.ts";

function memoryStore(): ByteStore & { readonly entries: Map<string, Uint8Array> } {
  const entries = new Map<string, Uint8Array>();
  return {
    entries,
    get: (key) => Promise.resolve(entries.get(key)),
    set: (key, bytes) => Promise.resolve(void entries.set(key, bytes)),
  };
}

/** Makes a driver that miscompiles one kernel. */
function sabotage(gpu: Gpu, kernel: string, right: string, wrong: string): void {
  const compile = gpu.kernel.bind(gpu);
  gpu.kernel = (name, source, constants) => {
    const changed = name === kernel ? source.replace(right, wrong) : source;
    assert.ok(name !== kernel || changed !== source);
    return compile(name, changed, constants);
  };
}

for (const family of FAMILIES) {
  Deno.test(`self-test, ${family}: passes here, and is remembered per driver`, async () => {
    const store = memoryStore();
    using gpu = await openTestGpu({ family });
    const verdict = await selfTest(gpu, "driver 1", store);
    assert.equal(store.entries.size, 1);
    gpu.kernel = () => assert.fail("the second time runs nothing");
    assert.deepEqual(await selfTest(gpu, "driver 1", store), verdict);
    await assert.rejects(selfTest(gpu, "driver 2", store), assert.AssertionError);
  });
}

for (
  const [kernel, right, wrong, message] of [
    ["matmul_texture", "fma(x.x, w", "fma(0.5 * x.x, w", /product/],
    ["topk_texture_select", "floor = max(bisect(row), 1)", "floor = 2147000000", /TopK/],
    ["count_topk", "amount.y + carry", "amount.y", /counting/],
  ] as const
) {
  Deno.test(`self-test: a driver that gets ${kernel} wrong is refused, and not remembered`, async () => {
    const store = memoryStore();
    using gpu = await openTestGpu({ family: "texture" });
    sabotage(gpu, kernel, right, wrong);
    await assert.rejects(selfTest(gpu, "driver", store), (error: Error) => {
      assert.ok(error instanceof GpuError);
      assert.match(error.message, message);
      return true;
    });
    assert.equal(store.entries.size, 0);
  });
}
