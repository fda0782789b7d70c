// Counts a block of tokens into the accumulators of one layer (accumulate.wgsl), where any number of
// latents may be active on a token: SAEs with thresholds.
//
//   f             [rows, stride] f32, not negative: latents `first` to `first + width`
//   example       [rows] u32: the token's text, counted within the batch, ascending, or NOT_COUNTED
//   accumulators  [all latents, 6] u32
//   last          [all latents] u32: 1 + the text of the batch in which the latent fired last, 0 for none
//   document_group  [rows] u32 and group_fired [groups, all latents] u32, with GROUPED
//
// A latent fires on a token when its value is > 0; sum, largest and smallest value run over the tokens
// it fires on. One invocation per latent walks the tokens in order: neighbours read neighbouring words,
// and nothing is shared. Blocks of one batch come in the order of their tokens; `last` carries a text
// that is cut by a block's end into the next.

struct Params { rows: u32, stride: u32, width: u32, first: u32, latents: u32 }

@group(0) @binding(0) var<storage, read> f: array<f32>;
@group(0) @binding(1) var<storage, read> example: array<u32>;
@group(0) @binding(2) var<storage, read_write> accumulators: array<u32>;
@group(0) @binding(3) var<storage, read_write> last: array<u32>;
#if GROUPED
@group(0) @binding(4) var<storage, read> document_group: array<u32>;
@group(0) @binding(5) var<storage, read_write> group_fired: array<u32>;
#end
@group(0) @binding(${4 + 2 * GROUPED}) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let column = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (column >= p.width) { return; }
  let unit = p.first + column;
  let at = unit * WORDS;
  var tokens = 0u;
  var examples = 0u;
  var low = accumulators[at + 2u];
  var high = accumulators[at + 3u];
  var largest = accumulators[at + 4u];
  var smallest = accumulators[at + 5u];
  var before = last[unit];
#if GROUPED
  var of_group = document_group[0];
  var in_group = 0u;
#end
  for (var t = 0u; t < p.rows; t++) {
    if (example[t] == NOT_COUNTED) { continue; }
#if GROUPED
    if (document_group[t] != of_group) {
      group_fired[of_group * p.latents + unit] += in_group;
      of_group = document_group[t];
      in_group = 0u;
    }
#end
    let value = f[t * p.stride + column];
    if (value > 0.0) {
      let text = example[t] + 1u;
      tokens++;
#if GROUPED
      in_group++;
#end
      examples += select(0u, 1u, text != before);
      before = text;
      let amount = fixed_point(value);
      low += amount.x;
      high += amount.y + select(0u, 1u, low < amount.x);
      largest = max(largest, bitcast<u32>(value));
      smallest = max(smallest, ~ordered(value));
    }
  }
  accumulators[at] += tokens;
  accumulators[at + 1u] += examples;
  accumulators[at + 2u] = low;
  accumulators[at + 3u] = high;
  accumulators[at + 4u] = largest;
  accumulators[at + 5u] = smallest;
  last[unit] = before;
#if GROUPED
  group_fired[of_group * p.latents + unit] += in_group;
#end
}
