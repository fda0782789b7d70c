// Counts a block of tokens into the accumulators of one layer of neurons (accumulate.wgsl).
//
//   a             [rows, stride] f32: act_fn outputs silu(gate)
//   example       [rows] u32: the token's text, counted within the block; ascending
//   accumulators  [width, 6] u32
//
// A neuron fires on a token when its value is > 0. Its sum, largest and smallest value run over all
// tokens, negative ones included, and the largest starts at 0, as published (Q5). One invocation per
// neuron walks the tokens in order: neighbours read neighbouring words, and nothing is shared.

struct Params { rows: u32, stride: u32, width: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> example: array<u32>;
@group(0) @binding(2) var<storage, read_write> accumulators: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let unit = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (unit >= p.width) { return; }
  let at = unit * WORDS;
  var tokens = 0u;
  var examples = 0u;
  var low = accumulators[at + 2u];
  var high = accumulators[at + 3u];
  var largest = accumulators[at + 4u];
  var smallest = accumulators[at + 5u];
  var last = 0xffffffffu;
  for (var t = 0u; t < p.rows; t++) {
    let value = a[t * p.stride + unit];
    if (value > 0.0) {
      tokens++;
      examples += select(0u, 1u, example[t] != last);
      last = example[t];
    }
    let amount = fixed_point(value);
    low += amount.x;
    high += amount.y + select(0u, 1u, low < amount.x);
    largest = max(largest, bitcast<u32>(max(value, 0.0)));
    smallest = max(smallest, ~ordered(value));
  }
  accumulators[at] += tokens;
  accumulators[at + 1u] += examples;
  accumulators[at + 2u] = low;
  accumulators[at + 3u] = high;
  accumulators[at + 4u] = largest;
  accumulators[at + 5u] = smallest;
}
