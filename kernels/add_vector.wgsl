// A steering vector added to every token: y[t] += vectors[groups[t]]
//
//   y        [rows * quads] vec4f
//   vectors  [sets * quads] vec4f, padding zero
//   groups   [rows] u32: which vector a token gets; 0xffffffff: none. Absent (GROUPED 0): the first.
//
// One vec4 per invocation.

struct Params { count: u32, quads: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
#if GROUPED == 1
@group(0) @binding(2) var<storage, read> groups: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;
#else
@group(0) @binding(2) var<uniform> p: Params;
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let at = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (at >= p.count) { return; }
#if GROUPED == 1
  let vector = groups[at / p.quads];
  if (vector == 0xffffffffu) { return; }
  y[at] = y[at] + vectors[vector * p.quads + at % p.quads];
#else
  y[at] = y[at] + vectors[at % p.quads];
#end
}
