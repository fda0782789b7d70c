// What an SAE's encoder reads: y[t] = norm(x[t]) - bias
//
//   NORM "none"                   norm(v) = v
//        "constant_norm_rescale"  norm(v) = v sqrt(d) / |v|, 0 for v = 0
//        "layer_norm"             norm(v) = (v - mean(v)) / (s + 1e-5), s the unbiased standard deviation
//
//   x, y  [rows, 4 * quads] f32; d = width, and the padding past it is zero
//   bias  [4 * quads] f32, zero past the width
//
// One workgroup of LANES per row, with row_sum.wgsl in front. The deviation is summed from differences to the mean, in a
// second pass: the difference of two large sums would lose it.

struct Params { rows: u32, quads: u32, width: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

#if NORM == "layer_norm"
// v - mean, zero past the width.
fn deviation(v: vec4f, mean: f32, quad: u32) -> vec4f {
  return select(vec4f(), v - mean, 4u * quad + vec4u(0u, 1u, 2u, 3u) < vec4u(p.width));
}
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.quads;
#if NORM == "constant_norm_rescale"
  var mine = 0.0;
  for (var i = lane; i < p.quads; i += ${LANES}u) {
    let v = x[start + i];
    mine += dot(v, v);
  }
  let norm = sqrt(row_sum(lane, mine));
  let scale = select(0.0, sqrt(f32(p.width)) / norm, norm > 0.0);
#elif NORM == "layer_norm"
  var mine = 0.0;
  for (var i = lane; i < p.quads; i += ${LANES}u) { mine += dot(x[start + i], vec4f(1.0)); }
  let mean = row_sum(lane, mine) / f32(p.width);
  mine = 0.0;
  for (var i = lane; i < p.quads; i += ${LANES}u) {
    let v = deviation(x[start + i], mean, i);
    mine += dot(v, v);
  }
  let scale = 1.0 / (sqrt(row_sum(lane, mine) / f32(p.width - 1u)) + 1e-5);
#end
  for (var i = lane; i < p.quads; i += ${LANES}u) {
#if NORM == "none"
    y[start + i] = x[start + i] - bias[i];
#elif NORM == "layer_norm"
    y[start + i] = deviation(x[start + i], mean, i) * scale - bias[i];
#else
    y[start + i] = x[start + i] * scale - bias[i];
#end
  }
}
