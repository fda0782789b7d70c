// Some columns of every token set, or added to: y[t, columns[j]] = values[j], or += values[j], for
// offsets[g] <= j < offsets[g + 1] with g = groups[t]
//
//   OP "set" or "add"
//
//   y        [rows, stride] f32
//   columns  [entries] u32, each < the width of y, none twice in a list
//   values   [entries] f32
//   offsets  [lists + 1] u32
//   groups   [rows] u32: a token's list; 0xffffffff: none. Absent (GROUPED 0): the first.
//
// One invocation per token and entry of the longest list: p.most of them.

struct Params { count: u32, stride: u32, most: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> offsets: array<u32>;
#if GROUPED == 1
@group(0) @binding(4) var<storage, read> groups: array<u32>;
@group(0) @binding(5) var<uniform> p: Params;
#else
@group(0) @binding(4) var<uniform> p: Params;
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let at = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (at >= p.count) { return; }
  let token = at / p.most;
#if GROUPED == 1
  let list = groups[token];
  if (list == 0xffffffffu) { return; }
#else
  let list = 0u;
#end
  let entry = offsets[list] + at % p.most;
  if (entry >= offsets[list + 1u]) { return; }
  let place = token * p.stride + columns[entry];
#if OP == "set"
  y[place] = values[entry];
#else
  y[place] = y[place] + values[entry];
#end
}
