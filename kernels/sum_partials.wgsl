// Adds up the blocks of column_sums.wgsl: y[c] = (ADD: y[c] +) scale factors[factor] sum_b partial[b, c]
//
//   partial  [blocks, quads] vec4f
//   y        [quads] vec4f
//   factors  f32, with FACTOR: what the GPU itself has found out; else 1
//
// One invocation per vec4 of columns; blocks in order.

struct Params { blocks: u32, quads: u32, scale: f32, factor: u32 }

@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#if FACTOR
@group(0) @binding(2) var<storage, read> factors: array<f32>;
#end
@group(0) @binding(${2 + FACTOR}) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  if (column >= p.quads) { return; }
  var sum = vec4f();
  for (var b = 0u; b < p.blocks; b++) { sum += partial[b * p.quads + column]; }
#if FACTOR
  sum *= p.scale * factors[p.factor];
#else
  sum *= p.scale;
#end
#if ADD
  sum += y[column];
#end
  y[column] = sum;
}
