// Adds up activation vectors: sums[c] += sum over counted tokens t of x[t, c]
//
//   x        [rows, stride] f32
//   example  [rows] u32: NOT_COUNTED leaves the token out
//   sums     [width, 2] u32: 64-bit two's complement, low word first, in units of 2^-24
//
// accumulate.wgsl is joined in front. One invocation per column and ROWS tokens; its share goes into
// the sums by integer atomics, so the result is the same whatever the order, the batch or the device.

struct Params { rows: u32, stride: u32, width: u32, column_groups: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> example: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = group.y * ${GRID}u + group.x;
  let column = (item % p.column_groups) * ${LANES}u + lane.x;
  let first = item / p.column_groups * ${ROWS}u;
  if (column >= p.width || first >= p.rows) { return; }
  var low = 0u;
  var high = 0u;
  for (var t = first; t < min(first + ${ROWS}u, p.rows); t++) {
    if (example[t] == NOT_COUNTED) { continue; }
    let amount = fixed_point(x[t * p.stride + column]);
    low += amount.x;
    high += amount.y + select(0u, 1u, low < amount.x);
  }
  let before = atomicAdd(&sums[2u * column], low);
  atomicAdd(&sums[2u * column + 1u], high + select(0u, 1u, before + low < before));
}
