// Causal grouped-query attention (no padding; a token sees its own text only).
//   y[t, h, :] = sum_{j = first(t)..last(t)} softmax_j( q[t, h] · k[j, h / GROUP] / sqrt(d) ) v[j, h / GROUP]
//
//   qkv     [rows, 4 * quads] f32: HEADS query heads, then HEADS / GROUP key heads, then as many value heads
//   y       [rows, 4 * out_quads] f32
//   QUADS   head dimension / 4
//
// Without CACHED keys and values are those of a packed batch, in qkv:
//   starts  [rows] u32, index of the first token of the token's text; the last is the token itself
// With CACHED they lie in a cache, those of the tokens themselves included:
//   cache      [cache rows, 4 * key_quads] f32: HEADS / GROUP key heads, then as many value heads
//   starts     [rows] u32, cache row of the first token of the token's text
//   positions  [rows] u32, position of the token in its text
//
// One invocation per (token, head), heads fastest: neighbours read the same keys. The softmax is
// accumulated online (Milakov & Gimelshein 2018) in key order, so a token's result depends on its
// own text alone, never on what it is packed with, and is the same from a cache, to the bit.

struct Params { rows: u32, quads: u32, key_quads: u32, out_quads: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#if CACHED
@group(0) @binding(3) var<storage, read> cache: array<vec4f>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<uniform> p: Params;

fn kept(quad: u32) -> vec4f { return cache[quad]; }
#else
@group(0) @binding(3) var<uniform> p: Params;

fn kept(quad: u32) -> vec4f { return qkv[quad]; }
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.rows * ${HEADS}u) { return; }
  let token = item / ${HEADS}u;
  let head = item % ${HEADS}u;
  let query = token * p.quads + head * ${QUADS}u;
#if CACHED
  let key_column = head / ${GROUP}u * ${QUADS}u;
  let last = starts[token] + positions[token];
#else
  let key_column = (${HEADS}u + head / ${GROUP}u) * ${QUADS}u;
  let last = token;
#end
  let value_offset = ${HEADS / GROUP * QUADS}u;
#for i in 0..QUADS
  let q${i} = qkv[query + ${i}u] * p.scale;
  var a${i} = vec4f();
#end
  var largest = -3.0e38;
  var total = 0.0;
  for (var j = starts[token]; j <= last; j++) {
    let key = j * p.key_quads + key_column;
    var score = 0.0;
#for i in 0..QUADS
    score += dot(q${i}, kept(key + ${i}u));
#end
    let next = max(largest, score);
    let keep = exp(largest - next);
    let weight = exp(score - next);
    largest = next;
    total = total * keep + weight;
#for i in 0..QUADS
    a${i} = a${i} * keep + weight * kept(key + value_offset + ${i}u);
#end
  }
  let result = token * p.out_quads + head * ${QUADS}u;
#for i in 0..QUADS
  y[result + ${i}u] = a${i} / total;
#end
}
