// y[i] = x[chosen[i]]: some rows of a matrix, in any order
//
//   x       [.., quads] vec4f
//   chosen  [rows] u32
//   y       [rows, quads] vec4f
//
// SPAN vec4s per invocation, LANES apart.

struct Params { count: u32, quads: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> chosen: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) { y[at] = x[chosen[at / p.quads] * p.quads + at % p.quads]; }
  }
#end
}
