// Entropy of each unit's activation probabilities over languages (LAPE, arXiv 2402.16438):
//   p_g = fired[g, u] / tokens[g]      q_g = p_g / sum_g p_g      H[u] = -sum_g q_g ln q_g
//
//   fired    [languages, units] u32: tokens on which the unit fired
//   tokens   [languages] u32
//   entropy  [units] f32, natural logarithm; 0 where the unit never fired
//
// f32, for thousands of bootstrap and permutation replicates; published numbers come from lib/lape in
// f64. Loops over languages twice: q needs the sum first.

struct Params { units: u32 }

@group(0) @binding(0) var<storage, read> fired: array<u32>;
@group(0) @binding(1) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read_write> entropy: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let unit = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (unit >= p.units) { return; }
  var sum = 0.0;
  for (var g = 0u; g < ${LANGUAGES}u; g++) {
    sum += f32(fired[g * p.units + unit]) / f32(tokens[g]);
  }
  var h = 0.0;
  for (var g = 0u; g < ${LANGUAGES}u; g++) {
    let q = f32(fired[g * p.units + unit]) / f32(tokens[g]) / sum;
    if (q > 0.0) { h -= q * log(q); }
  }
  entropy[unit] = h;
}
