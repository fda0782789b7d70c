import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { Gpu } from "./device.ts";
import { GpuError } from "./memory.ts";

const DOUBLE = `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> p: vec4u;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) g: vec3u) {
  if (g.x < p.x) { y[g.x] = y[g.x] * 2.0; }
}`;

Deno.test("what is written is read back, also before any kernel ran", async () => {
  using gpu = await openTestGpu();
  using buffer = gpu.bufferOf("numbers", Float32Array.of(1, 2, 3));
  const bytes = await gpu.read(buffer.resource, 4, 8);
  assert.deepEqual(new Float32Array(bytes), Float32Array.of(2, 3));
});

Deno.test("parameters survive more dispatches than their buffer holds", async () => {
  using gpu = await openTestGpu();
  using buffer = gpu.bufferOf("numbers", Float32Array.of(1, 1));
  const kernel = gpu.kernel("double", DOUBLE);
  const recorder = gpu.recorder();
  for (let i = 0; i < 2000; i++) {
    recorder.dispatch(kernel, [buffer.resource], [i % 100 === 0 ? 2 : 0], [2, 1]);
  }
  recorder.submit();
  const values = new Float32Array(await gpu.read(buffer.resource, 0, 8));
  assert.deepEqual(values, new Float32Array(2).fill(2 ** 20));
});

Deno.test("an error of the GPU is thrown at the next read, and stays", async () => {
  using gpu = await openTestGpu();
  using buffer = gpu.buffer("numbers", 16);
  gpu.kernel("broken", "@compute @workgroup_size(1) fn main() { let x: u32 = 1.0; }");
  await assert.rejects(gpu.read(buffer.resource, 0, 16), GpuError);
  await assert.rejects(gpu.settle(), /GPU refused/);
  assert.throws(() => gpu.check(), GpuError);
});

Deno.test("a grid beyond the adapter's limit is refused, not dropped", async () => {
  using gpu = await openTestGpu();
  using buffer = gpu.buffer("numbers", 16);
  const kernel = gpu.kernel("double", DOUBLE);
  const recorder = gpu.recorder();
  assert.throws(() => recorder.dispatch(kernel, [buffer.resource], [1], [70000, 1]), /workgroups/);
});

Deno.test("memory is accounted for, and the budget is kept", async () => {
  using gpu = await openTestGpu({ memoryBudget: 1024 });
  const first = gpu.buffer("first", 600);
  assert.equal(gpu.memory.live, 608);
  assert.throws(() => gpu.buffer("second", 600), /second needs .* --memory-budget/);
  assert.throws(() => gpu.texture("third", 8, 8, "rgba32float"), GpuError);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assert.equal(gpu.memory.live, 0);
  using _second = gpu.buffer("second", 1000);
  assert.equal(gpu.memory.peak, 1008);
});

Deno.test("profiling names every kernel and counts its dispatches", async () => {
  using gpu = await openTestGpu({ profile: true });
  using buffer = gpu.buffer("numbers", 16);
  const kernel = gpu.kernel("double", DOUBLE);
  const recorder = gpu.recorder();
  for (let i = 0; i < 3; i++) recorder.dispatch(kernel, [buffer.resource], [1], [1, 1]);
  recorder.submit();
  await gpu.settle();
  const [time] = gpu.profiler!.report();
  assert.equal(time.kernel, "double");
  assert.equal(time.dispatches, 3);
  assert.ok(time.milliseconds > 0);
});

Deno.test("timestamps are read while other work is recorded and submitted", async () => {
  using gpu = await openTestGpu({ profile: true });
  using buffer = gpu.buffer("numbers", 16);
  const kernel = gpu.kernel("double", DOUBLE);
  const work = () => {
    const recorder = gpu.recorder();
    recorder.dispatch(kernel, [buffer.resource], [1], [1, 1]);
    return recorder;
  };
  work().submit();
  const recorded = work();
  const first = gpu.settle();
  recorded.submit();
  await Promise.all([first, gpu.settle()]);
  await gpu.settle();
  const [{ dispatches, milliseconds }] = gpu.profiler!.report();
  assert.equal(dispatches, 2);
  assert.ok(milliseconds > 0);
});

/** What the device of a software adapter with these features is given to compile. */
async function compiledOn(features: readonly string[]): Promise<string> {
  let compiled = "";
  const device = {
    limits: {},
    lost: new Promise(() => {}),
    addEventListener() {},
    createShaderModule({ code }: GPUShaderModuleDescriptor) {
      compiled = code;
    },
    createComputePipeline() {},
    destroy() {},
  };
  const adapter = {
    features: new Set(features),
    limits: {},
    info: { architecture: "swiftshader", subgroupMinSize: 4, subgroupMaxSize: 4 },
    requestDevice: () => Promise.resolve(device),
  };
  using gpu = await Gpu.open(adapter as unknown as GPUAdapter);
  gpu.kernel("double", DOUBLE);
  return compiled;
}

Deno.test("kernels enable subgroups where the adapter lists them, as browsers do, and only there", async () => {
  assert.equal(await compiledOn(["subgroups"]), `enable subgroups;\n${DOUBLE}`);
  assert.equal(await compiledOn([]), DOUBLE);
});
