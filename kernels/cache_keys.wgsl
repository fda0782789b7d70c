// Keys and values of some tokens go into the cache of their sequences:
//   cache[firsts[t] + positions[t], :] = qkv[t, keys and values]
//
//   qkv        [rows, 4 * quads] f32: queries in the first `skipped` vec4s, then keys, then values
//   firsts     [rows] u32, cache row of the first token of the token's sequence
//   positions  [rows] u32, position of the token in its sequence
//   cache      [cache rows, 4 * cache_quads] f32: keys, then values
//
// One invocation per vec4 of a token's keys and values.

struct Params { rows: u32, quads: u32, skipped: u32, kept: u32, cache_quads: u32 }

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> firsts: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read_write> cache: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.rows * p.kept) { return; }
  let token = item / p.kept;
  let quad = item % p.kept;
  let row = firsts[token] + positions[token];
  cache[row * p.cache_quads + quad] = qkv[token * p.quads + p.skipped + quad];
}
