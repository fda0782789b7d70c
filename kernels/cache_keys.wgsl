// Keys and values of some tokens go into the cache of their sequences:
//   cache[firsts[t] + positions[t], :] = qkv[t, keys and values]
//
//   qkv        [rows, 4 * quads] f32: queries in the first `skipped` vec4s, then keys, then values
//   firsts     [rows] u32, cache row of the first token of the token's sequence
//   positions  [rows] u32, position of the token in its sequence
//   cache      keys, then values: a buffer or a texture, laid out as attention.wgsl says of `kept`
//
// One invocation per vec4 of a token's keys and values.

struct Params { rows: u32, quads: u32, skipped: u32, count: u32, cache_quads: u32, fold: u32 }

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> firsts: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
#if FAMILY == "texture"
@group(0) @binding(3) var cache: texture_storage_2d<rgba32float, write>;
#else
@group(0) @binding(3) var<storage, read_write> cache: array<vec4f>;
#end
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.rows * p.count) { return; }
  let token = item / p.count;
  let quad = item % p.count;
  let row = firsts[token] + positions[token];
  let kept = qkv[token * p.quads + p.skipped + quad];
#if FAMILY == "texture"
  let side = row & ((1u << p.fold) - 1u);
  textureStore(cache, vec2u(side * p.cache_quads + quad, row >> p.fold), kept);
#else
  cache[row * p.cache_quads + quad] = kept;
#end
}
