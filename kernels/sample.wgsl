// One token of each row, drawn from its K largest logits with temperature, then top-p, as transformers
// does (TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper):
//   w[i] = exp((x[i] - x[0]) / temperature)          x descending
//   kept: w[i] whose larger ones sum to less than top_p * sum(w): the smallest set that reaches top_p
//   ids[t] = indices[t, i] with the first i such that w[0] + … + w[i] > u * sum of those kept
//
//   values   [rows, K] u32, descending: logits as logit_order.wgsl makes them; 0 where there is none
//   indices  [rows, K] u32
//   seeds    [rows] vec2u
//   ids      [rows] u32
//
// u in [0, 1) is the first word of Philox4x32-10 (Salmon et al. 2011), key = seed, counter = step: what is
// drawn depends on the seed of the sequence and on how many tokens came before, never on the batch.
//
// One invocation per row: K is small.

struct Params { rows: u32, step: u32, per_temperature: f32, top_p: f32 }

@group(0) @binding(0) var<storage, read> values: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> seeds: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> ids: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

// Upper 32 bits of a product.
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let cross = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (cross >> 16u);
}

fn philox(seed: vec2u, step: u32) -> u32 {
  var key = seed;
  var c = vec4u(step, 0u, 0u, 0u);
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiply_high(0xd2511f53u, c.x);
    let high1 = multiply_high(0xcd9e8d57u, c.z);
    c = vec4u(high1 ^ c.y ^ key.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c.x;
}

fn logit(ordered: u32) -> f32 {
  let below = ordered < 0x40000000u;
  let moved = select(ordered - 0x40000000u, 0x40000000u - ordered, below);
  if (moved == 0u) { return 0.0; }
  return bitcast<f32>((moved + 0x20800000u) | select(0u, 0x80000000u, below));
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (row >= p.rows) { return; }
  let start = row * ${K}u;
  let largest = logit(values[start]);
  var count = 0u;
  var sum = 0.0;
  for (; count < ${K}u && values[start + count] != 0u; count++) {
    sum += exp((logit(values[start + count]) - largest) * p.per_temperature);
  }
  var kept = 0u;
  var kept_sum = 0.0;
  for (; kept < count && (kept == 0u || kept_sum < p.top_p * sum); kept++) {
    kept_sum += exp((logit(values[start + kept]) - largest) * p.per_temperature);
  }
  let bar = f32(philox(seeds[row], p.step) >> 8u) * 0x1p-24 * kept_sum;
  var chosen = 0u;
  var below = 0.0;
  for (; chosen < kept; chosen++) {
    below += exp((logit(values[start + chosen]) - largest) * p.per_temperature);
    if (below > bar) { break; }
  }
  ids[row] = indices[start + min(chosen, max(kept, 1u) - 1u)];
}
