// Folds a block of a row's logits into what log-softmax needs of the row:
//   m' = max(m, max_i z[t, i])      s' = s exp(m - m') + sum_i exp(z[t, i] - m')
//   g' = z[t, target[t] - first] if the block holds the target, else g
// After all blocks of the vocabulary, ln p(target) = g - m - ln s.
//
//   z       [rows, 4 * quads] f32: logits of tokens first … first + width of the vocabulary
//   target  [rows] u32, a token of the vocabulary
//   state   [rows] vec4f: (m, s, g, 0); before the first block (lowest f32, 0, 0, 0)
//
// One workgroup of LANES per row, so that logits are never read back nor held for more than a block.
// Padding past `width` counts as exp(-inf): zero would add exp(0). row_sum.wgsl is joined in front; the
// result does not depend on anything but the row and the blocks.

struct Params { rows: u32, quads: u32, width: u32, first: u32 }

@group(0) @binding(0) var<storage, read> z: array<vec4f>;
@group(0) @binding(1) var<storage, read> target_of: array<u32>;
@group(0) @binding(2) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

const LOWEST = -3.4028234e38;

fn logits(start: u32, quad: u32) -> vec4f {
  let columns = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(LOWEST), z[start + quad], columns < vec4u(p.width));
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.quads;
  let before = state[row];
  let used = (p.width + 3u) / 4u;

  var highest = vec4f(LOWEST);
  for (var i = lane.x; i < used; i += ${LANES}u) { highest = max(highest, logits(start, i)); }
  let mine = max(max(highest.x, highest.y), max(highest.z, highest.w));
  let m = max(before.x, row_max(lane.x, mine));

  var sums = vec4f(0.0);
  for (var i = lane.x; i < used; i += ${LANES}u) { sums += exp(logits(start, i) - m); }
  let sum = row_sum(lane.x, (sums.x + sums.y) + (sums.z + sums.w));
  if (lane.x != 0u) { return; }
  let s = before.y * exp(before.x - m) + sum;
  let at = target_of[row] - p.first;
  var g = before.z;
  if (at < p.width) { g = z[start + at / 4u][at % 4u]; }
  state[row] = vec4f(m, s, g, 0.0);
}
