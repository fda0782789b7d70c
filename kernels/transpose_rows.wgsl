// y[c, t] = (ADD: y[c, t] +) factors[factor] x[t, c], zero for t >= rows: tokens become columns, so that a
// product sums over them.
//
//   x        [rows, stride] f32
//   y        [width, quads] vec4f
//   factors  f32, with FACTOR; else 1
//
// One invocation per column of x and four of its rows; lanes lie side by side in x.

struct Params { rows: u32, stride: u32, width: u32, quads: u32, column_groups: u32, factor: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#if FACTOR
@group(0) @binding(2) var<storage, read> factors: array<f32>;
#end
@group(0) @binding(${2 + FACTOR}) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = group.y * ${GRID}u + group.x;
  let column = (item % p.column_groups) * ${LANES}u + lane.x;
  let quad = item / p.column_groups;
  if (column >= p.width || quad >= p.quads) { return; }
  var v = vec4f();
#for i in 0..4
  if (4u * quad + ${i}u < p.rows) { v[${i}] = x[(4u * quad + ${i}u) * p.stride + column]; }
#end
#if FACTOR
  v *= factors[p.factor];
#end
  let at = column * p.quads + quad;
#if ADD
  v += y[at];
#end
  y[at] = v;
}
