// Counts a block of tokens into the accumulators of one layer of neurons (accumulate.wgsl).
//
//   a             [rows, stride] f32: act_fn outputs silu(gate)
//   example       [rows] u32: the token's text, counted within the block, ascending, or NOT_COUNTED
//   accumulators  [width, 6] u32
//   document_group  [rows] u32 and group_fired [groups, width] u32, with GROUPED
//
// A neuron fires on a token when its value is > 0. Its sum, largest and smallest value run over all
// tokens, negative ones included, and the largest starts at 0, as published (Q5). One invocation per
// neuron walks the tokens in order: neighbours read neighbouring words, and nothing is shared.

struct Params { rows: u32, stride: u32, width: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> example: array<u32>;
@group(0) @binding(2) var<storage, read_write> accumulators: array<u32>;
#if GROUPED
@group(0) @binding(3) var<storage, read> document_group: array<u32>;
@group(0) @binding(4) var<storage, read_write> group_fired: array<u32>;
#end
@group(0) @binding(${3 + 2 * GROUPED}) var<uniform> p: Params;

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
  var last = NOT_COUNTED;
#if GROUPED
  var of_group = document_group[0];
  var in_group = 0u;
#end
  for (var t = 0u; t < p.rows; t++) {
    if (example[t] == NOT_COUNTED) { continue; }
#if GROUPED
    if (document_group[t] != of_group) {
      group_fired[of_group * p.width + unit] += in_group;
      of_group = document_group[t];
      in_group = 0u;
    }
#end
    let value = a[t * p.stride + unit];
    if (value > 0.0) {
      tokens++;
#if GROUPED
      in_group++;
#end
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
#if GROUPED
  group_fired[of_group * p.width + unit] += in_group;
#end
}
