// Causal grouped-query attention of tokens to the cached keys and values of their sequences.
//   y[t, h, :] = sum_{j = 0..positions[t]} softmax_j( q[t, h] · k[firsts[t] + j, h / GROUP] / sqrt(d) ) v[firsts[t] + j, h / GROUP]
//
//   qkv        [rows, 4 * quads] f32: HEADS query heads, then keys and values, which are in the cache already
//   cache      [cache rows, 4 * cache_quads] f32: HEADS / GROUP key heads, then as many value heads
//   firsts     [rows] u32, cache row of the first token of the token's sequence
//   positions  [rows] u32, position of the token in its sequence
//   y          [rows, 4 * out_quads] f32
//   QUADS      head dimension / 4
//
// One invocation per (token, head), and the same operations in the same order as attention.wgsl: a
// token's result is that of the packed pass, and depends on its own sequence alone.

struct Params { rows: u32, quads: u32, cache_quads: u32, out_quads: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(1) var<storage, read> cache: array<vec4f>;
@group(0) @binding(2) var<storage, read> firsts: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.rows * ${HEADS}u) { return; }
  let token = item / ${HEADS}u;
  let head = item % ${HEADS}u;
  let query = token * p.quads + head * ${QUADS}u;
  let key_column = head / ${GROUP}u * ${QUADS}u;
  let value_offset = ${HEADS / GROUP * QUADS}u;
#for i in 0..QUADS
  let q${i} = qkv[query + ${i}u] * p.scale;
  var a${i} = vec4f();
#end
  var largest = -3.0e38;
  var total = 0.0;
  let first = firsts[token];
  let last = first + positions[token];
  for (var j = first; j <= last; j++) {
    let key = j * p.cache_quads + key_column;
    var score = 0.0;
#for i in 0..QUADS
    score += dot(q${i}, cache[key + ${i}u]);
#end
    let next = max(largest, score);
    let keep = exp(largest - next);
    let weight = exp(score - next);
    largest = next;
    total = total * keep + weight;
#for i in 0..QUADS
    a${i} = a${i} * keep + weight * cache[key + value_offset + ${i}u];
#end
  }
  let result = token * p.out_quads + head * ${QUADS}u;
#for i in 0..QUADS
  y[result + ${i}u] = a${i} / total;
#end
}
