// Counts the TopK entries of a block of tokens into the accumulators of one layer (accumulate.wgsl).
//
//   values, indices  [rows, K]: TopK of each token
//   example          [rows] u32: the token's text, counted within the block, or NOT_COUNTED
//   accumulators     [width, 6] u32
//   seen             [examples, ceil(width / 32)] u32, zero before: bit = the latent fired in the text
//   document_group   [rows] u32 and group_fired [groups, width] u32, with GROUPED
//
// A slot counts when its value is > 0; with COUNT_ZEROS every slot counts, as published (Q3). One
// invocation per slot; integer atomics only, hence deterministic.

struct Params { slots: u32, seen_words: u32, width: u32 }

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> example: array<u32>;
@group(0) @binding(3) var<storage, read_write> accumulators: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> seen: array<atomic<u32>>;
#if GROUPED
@group(0) @binding(5) var<storage, read> document_group: array<u32>;
@group(0) @binding(6) var<storage, read_write> group_fired: array<atomic<u32>>;
#end
@group(0) @binding(${5 + 2 * GROUPED}) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let slot = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (slot >= p.slots) { return; }
  let token = slot / ${K}u;
  let text = example[token];
  if (text == NOT_COUNTED) { return; }
  let value = values[slot];
#if !COUNT_ZEROS
  if (!(value > 0.0)) { return; }
#end
  let unit = indices[slot];
  let at = unit * WORDS;
  atomicAdd(&accumulators[at], 1u);
  let bit = 1u << (unit % 32u);
  let before = atomicOr(&seen[text * p.seen_words + unit / 32u], bit);
  if ((before & bit) == 0u) { atomicAdd(&accumulators[at + 1u], 1u); }
  let amount = fixed_point(value);
  let low = atomicAdd(&accumulators[at + 2u], amount.x);
  let carry = select(0u, 1u, low + amount.x < low);
  atomicAdd(&accumulators[at + 3u], amount.y + carry);
  atomicMax(&accumulators[at + 4u], bitcast<u32>(max(value, 0.0)));
  atomicMax(&accumulators[at + 5u], ~ordered(value));
#if GROUPED
  atomicAdd(&group_fired[document_group[token] * p.width + unit], 1u);
#end
}
