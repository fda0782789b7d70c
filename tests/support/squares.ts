/**
 * Squares 0 to 1023 on the adapter that bringUpAdapter finds and prints, as JSON, which one that was
 * and the squares. A process of its own, because a process chooses its Vulkan driver once.
 */
import { bringUpAdapter } from "../../lib/cli/adapter.ts";
import { print } from "../../lib/cli/output.ts";

const COUNT = 1024;
const SHADER = `
  @group(0) @binding(0) var<storage, read_write> squares: array<u32>;
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    squares[id.x] = id.x * id.x;
  }`;

const { adapter, description, driver, software, note } = await bringUpAdapter();
print(JSON.stringify({ description, driver, software, note, squares: await squares(adapter) }));

async function squares(adapter: GPUAdapter): Promise<number[]> {
  const device = await adapter.requestDevice();
  const module = device.createShaderModule({ code: SHADER });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const buffer = device.createBuffer({ size: COUNT * 4, usage: STORAGE | COPY_SRC });
  const readable = device.createBuffer({ size: COUNT * 4, usage: COPY_DST | MAP_READ });
  const layout = pipeline.getBindGroupLayout(0);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }),
  );
  pass.dispatchWorkgroups(COUNT / 64);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, readable, 0, COUNT * 4);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  const values = [...new Uint32Array(readable.getMappedRange())];
  device.destroy();
  return values;
}
