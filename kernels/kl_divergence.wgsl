// Folds a block of two rows of logits into what their log-softmaxes and their divergence need:
//   m' = max(m, max_i z[i])      s' = s exp(m - m') + sum_i exp(z[i] - m')
//                                t' = t exp(m - m') + sum_i exp(z[i] - m') (z[i] - y[i])
//   n' = max(n, max_i y[i])      u' = u exp(n - n') + sum_i exp(y[i] - n')
//   g, h = z and y of the target, if the block holds it
// After all blocks of the vocabulary, with p = softmax(z) and q = softmax(y):
//   ln p(target) = g - m - ln s,  ln q(target) = h - n - ln u
//   KL(p | q) = sum_i p_i (ln p_i - ln q_i) = t / s - (m + ln s) + (n + ln u)
//
//   z, y    [rows, 4 * quads] f32: logits of tokens first … first + width of the vocabulary
//   target  [rows] u32, a token of the vocabulary
//   state   [rows, 2] vec4f: (m, s, t, g), (n, u, h, 0); at first m = n = lowest f32 and the rest 0
//
// One workgroup of LANES per row, with row_sum.wgsl in front: see log_sum_exp.wgsl.

struct Params { rows: u32, quads: u32, width: u32, first: u32 }

@group(0) @binding(0) var<storage, read> z: array<vec4f>;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> target_of: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

const LOWEST = -3.4028234e38;

// Whether the columns of a vec4 are logits: padding counts as exp(-inf), zero would add exp(0).
fn there(quad: u32) -> vec4<bool> {
  return vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(p.width);
}

fn largest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn total(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.quads;
  let before = state[2u * row];
  let changed = state[2u * row + 1u];
  let used = (p.width + 3u) / 4u;

  var z_most = vec4f(LOWEST);
  var y_most = vec4f(LOWEST);
  for (var i = lane.x; i < used; i += ${LANES}u) {
    z_most = max(z_most, select(vec4f(LOWEST), z[start + i], there(i)));
    y_most = max(y_most, select(vec4f(LOWEST), y[start + i], there(i)));
  }
  let m = max(before.x, row_max(lane.x, largest(z_most)));
  let n = max(changed.x, row_max(lane.x, largest(y_most)));

  var s = vec4f();
  var t = vec4f();
  var u = vec4f();
  for (var i = lane.x; i < used; i += ${LANES}u) {
    let own = z[start + i];
    let other = y[start + i];
    let weight = select(vec4f(), exp(own - m), there(i));
    s += weight;
    t += weight * (own - other);
    u += select(vec4f(), exp(other - n), there(i));
  }
  let sums = vec3f(
    row_sum(lane.x, total(s)),
    row_sum(lane.x, total(t)),
    row_sum(lane.x, total(u)),
  );
  if (lane.x != 0u) { return; }
  let at = target_of[row] - p.first;
  var logits = vec2f(before.w, changed.z);
  if (at < p.width) { logits = vec2f(z[start + at / 4u][at % 4u], y[start + at / 4u][at % 4u]); }
  let old = exp(vec2f(before.x - m, changed.x - n));
  state[2u * row] = vec4f(m, before.y * old.x + sums.x, before.z * old.x + sums.y, logits.x);
  state[2u * row + 1u] = vec4f(n, changed.y * old.y + sums.z, logits.y, 0.0);
}
