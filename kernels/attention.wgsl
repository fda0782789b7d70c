// Causal grouped-query attention (a token sees its own text only).
//   y[t, h, :] = sum_{j = 0..positions[t]} softmax_j( q[t, h] · k[j, h / GROUP] / sqrt(d) ) v[j, h / GROUP]
//   with k[j], v[j] in row firsts[t] + j of `kept`
//
//   qkv        [rows, 4 * quads] f32: HEADS query heads first
//   firsts     [rows] u32, row of `kept` that has the first token of the token's text
//   positions  [rows] u32, position of the token in its text
//   kept       keys and values of tokens, the tokens themselves included: HEADS / GROUP key heads, then as
//              many value heads, from vec4 kept_first of a row on. A buffer: [kept rows, 4 * kept_quads]
//              f32. A texture: 2^fold rows of kept_quads vec4s side by side in a line of it
//   y          [rows, 4 * out_quads] f32
//   QUADS      head dimension / 4
//
// One invocation per token and EACH heads that attend to the same keys, heads fastest: neighbours read the
// same text. On a CPU a texture is read many times as fast as a buffer (see matmul_texture.wgsl), what is
// read serves EACH heads, and these are as many as leave the loop in the instruction cache; a GPU is
// better off with more invocations. The softmax is accumulated online (Milakov & Gimelshein 2018) in key
// order, so a token's result depends on its own text alone, never on what it is packed with, and is the
// same from a cache, to the bit.

struct Params {
  rows: u32,
  quads: u32,
  out_quads: u32,
  kept_quads: u32,
  kept_first: u32,
  fold: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> firsts: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
#if FAMILY == "texture"
@group(0) @binding(3) var kept: texture_storage_2d<rgba32float, read>;
#else
@group(0) @binding(3) var<storage, read> kept: array<vec4f>;
#end
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<uniform> p: Params;

fn kept_at(row: u32, quad: u32) -> vec4f {
#if FAMILY == "texture"
  let side = row & ((1u << p.fold) - 1u);
  return textureLoad(kept, vec2u(side * p.kept_quads + quad, row >> p.fold));
#else
  return kept[row * p.kept_quads + quad];
#end
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.rows * ${HEADS / EACH}u) { return; }
  let token = item / ${HEADS / EACH}u;
  let head = item % ${HEADS / EACH}u * ${EACH}u;
  let query = token * p.quads + head * ${QUADS}u;
  let key = p.kept_first + head / ${GROUP}u * ${QUADS}u;
  let value = key + ${HEADS / GROUP * QUADS}u;
#for h in 0..EACH
#for i in 0..QUADS
  let q${h}_${i} = qkv[query + ${h * QUADS + i}u] * p.scale;
  var a${h}_${i} = vec4f();
#end
  var largest${h} = -3.0e38;
  var total${h} = 0.0;
#end
  let last = firsts[token] + positions[token];
  for (var j = firsts[token]; j <= last; j++) {
#for h in 0..EACH
    var score${h} = 0.0;
#end
#for i in 0..QUADS
    let k${i} = kept_at(j, key + ${i}u);
#for h in 0..EACH
    score${h} += dot(q${h}_${i}, k${i});
#end
#end
#for h in 0..EACH
    let next${h} = max(largest${h}, score${h});
    let keep${h} = exp(largest${h} - next${h});
    let weight${h} = exp(score${h} - next${h});
    largest${h} = next${h};
    total${h} = total${h} * keep${h} + weight${h};
#end
#for i in 0..QUADS
    let v${i} = kept_at(j, value + ${i}u);
#for h in 0..EACH
    a${h}_${i} = a${h}_${i} * keep${h} + weight${h} * v${i};
#end
#end
  }
  let result = token * p.out_quads + head * ${QUADS}u;
#for h in 0..EACH
#for i in 0..QUADS
  y[result + ${h * QUADS + i}u] = a${h}_${i} / total${h};
#end
#end
}
