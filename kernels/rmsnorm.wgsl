// RMSNorm: y[t, i] = w[i] * x[t, i] / sqrt(mean_i x[t, i]^2 + eps)            (Zhang & Sennrich 2019)
//
//   x, y  [rows, 4 * quads] f32; the padding past `width` is zero and adds nothing to the sum
//   w     [4 * quads] f32, zero past `width`
//   d     where ADD, [rows, 4 * quads] f32: added to x first, which is written back
//
// One workgroup of LANES per row, with row_sum.wgsl in front.

struct Params { rows: u32, quads: u32, width: u32, eps: f32 }

#if ADD
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
#else
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
#end
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#if ADD
@group(0) @binding(3) var<storage, read> d: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;
#else
@group(0) @binding(3) var<uniform> p: Params;
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.quads;
  var sum = 0.0;
  for (var i = lane.x; i < p.quads; i += ${LANES}u) {
#if ADD
    let v = x[start + i] + d[start + i];
    x[start + i] = v;
#else
    let v = x[start + i];
#end
    sum += dot(v, v);
  }
  let scale = 1.0 / sqrt(row_sum(lane.x, sum) / f32(p.width) + p.eps);
  for (var i = lane.x; i < p.quads; i += ${LANES}u) {
    y[start + i] = w[i] * (x[start + i] * scale);
  }
}
