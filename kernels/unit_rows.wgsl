// Rows of unit length: what `normalize_decoder` asks of W_dec.
//
//   OP "normalise"  w[i] = w[i] / (|w[i]| + eps)
//      "project"    g[i] = g[i] - <g[i], w[i]> w[i]: what is left of a gradient along unit rows
//
//   w, g  [rows, quads] vec4f
//
// One workgroup of LANES per row, with row_sum.wgsl in front.

struct Params { rows: u32, quads: u32 }

#if OP == "normalise"
@group(0) @binding(0) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(1) var<uniform> p: Params;
#else
@group(0) @binding(0) var<storage, read> w: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.quads;
  var mine = 0.0;
  for (var i = lane; i < p.quads; i += ${LANES}u) {
#if OP == "normalise"
    mine += dot(w[start + i], w[start + i]);
#else
    mine += dot(g[start + i], w[start + i]);
#end
  }
  let sum = row_sum(lane, mine);
#if OP == "normalise"
  let scale = 1.0 / (sqrt(sum) + 1.1920929e-7);
#end
  for (var i = lane; i < p.quads; i += ${LANES}u) {
#if OP == "normalise"
    w[start + i] *= scale;
#else
    g[start + i] -= sum * w[start + i];
#end
  }
}
