import assert from "node:assert/strict";
import { openTestGpu } from "../../tests/support/gpu.ts";
import { BindGroups } from "./bind_groups.ts";
import type { Gpu } from "./device.ts";

const SOURCE = `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 2.0 * x[id.x]; }
`;

function kernelsOf(gpu: Gpu) {
  return ["one", "other"].map((name) => gpu.kernel(name, SOURCE));
}

Deno.test("a group is made once for a kernel and what it binds", async () => {
  using gpu = await openTestGpu();
  const { device } = gpu;
  const [one, other] = kernelsOf(gpu);
  using memory = gpu.buffer("x", 1024);
  using more = gpu.buffer("y", 1024);
  const [x, y] = [memory.resource, more.resource];
  const groups = new BindGroups();
  const group = groups.of(device, one, [x, y]);
  assert.equal(groups.of(device, one, [x, y]), group);
  const half = groups.of(device, one, [{ buffer: x, offset: 256, size: 256 }, y]);
  assert.equal(groups.of(device, one, [{ buffer: x, size: 256, offset: 256 }, y]), half);
  const different = [
    half,
    groups.of(device, other, [x, y]),
    groups.of(device, one, [y, x]),
    groups.of(device, one, [{ buffer: x, size: 256 }, y]),
    groups.of(device, one, [{ buffer: x, offset: 512, size: 256 }, y]),
    groups.of(device, one, [{ buffer: x, offset: 256, size: 512 }, y]),
    groups.of(device, one, [{ buffer: x, offset: 256 }, y]),
  ];
  assert.equal(new Set([group, ...different]).size, different.length + 1);
  gpu.check();
});

Deno.test("groups over more buffers than are kept, each gone after its dispatch", async () => {
  using gpu = await openTestGpu();
  const [kernel] = kernelsOf(gpu);
  using result = gpu.buffer("y", 256);
  const recorder = gpu.recorder();
  for (let round = 0; round < 5000; round++) {
    using x = gpu.bufferOf("x", new Float32Array(64).fill(round));
    recorder.dispatch(kernel, [x.resource, result.resource], [], [1, 1]);
    recorder.submit();
  }
  const y = new Float32Array(await gpu.read(result.resource, 0, 256));
  assert.deepEqual(y, new Float32Array(64).fill(2 * 4999));
});
