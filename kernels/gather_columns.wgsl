// Some columns of a matrix, side by side: y[t, j] = x[t, columns[j]]
//
//   x        [rows, stride] f32
//   columns  [count] u32, each < stride
//   y        [rows, count] f32, without padding: what is read back
//
// One invocation per value.

struct Params { values: u32, stride: u32, count: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let at = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (at >= p.values) { return; }
  y[at] = x[at / p.count * p.stride + columns[at % p.count]];
}
