// From slots by token to lists by latent: which tokens, in their order, a latent's gradient is summed over.
//
// A slot's key is token * SECTIONS + section: a token selects a latent at most once for the output
// (section 0), for AuxK and for Multi-TopK. Three steps, each one dispatch:
//
//   STEP "mark"   sets bit `key` of the latent's row of bits, for slots that have something to give
//   STEP "place"  gives each latent as many consecutive entries of the list as it has bits
//   STEP "fill"   writes a slot to its latent's entry number (bits below its key)
//
//   indices  [slots] u32          slots  [slots] vec2f, from slot_gradients.wgsl
//   bits     [latents, words] vec4u, zero before
//   lists    [latents] vec2u: first entry and number of entries
//   cursor   [1] u32, zero before
//   list     vec4u per entry: bits of the slot's two floats, token, row of the section's residuals
//
// Integer atomics only, and what depends on the order they happen in (where a latent's entries lie) is
// not part of any result: every list is in the order of its keys.

struct Params { count: u32, k: u32, section: u32, residuals: u32 }

#if STEP == "place"
@group(0) @binding(0) var<storage, read> bits: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> lists: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> cursor: atomic<u32>;
@group(0) @binding(3) var<uniform> p: Params;
#elif STEP == "mark"
@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read> slots: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> bits: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> p: Params;
#else
@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read> slots: array<vec2f>;
@group(0) @binding(2) var<storage, read> bits: array<vec4u>;
@group(0) @binding(3) var<storage, read> lists: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> list: array<vec4u>;
@group(0) @binding(5) var<uniform> p: Params;
#end

#if STEP != "mark"
fn ones(v: vec4u) -> u32 {
  let n = countOneBits(v);
  return n.x + n.y + n.z + n.w;
}
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.count) { return; }
#if STEP == "place"
  var entries = 0u;
  for (var i = item * ${WORDS}u; i < (item + 1u) * ${WORDS}u; i++) { entries += ones(bits[i]); }
  if (entries == 0u) {
    lists[item] = vec2u();
    return;
  }
  lists[item] = vec2u(atomicAdd(&cursor, entries), entries);
#else
  let slot = slots[item];
  // Not "== 0": what is not a number has to reach the weights, where it is seen.
  if (!(slot.x != 0.0 || slot.y != 0.0)) { return; }
  let latent = indices[item];
  let token = item / p.k;
  let key = token * ${SECTIONS}u + p.section;
#if STEP == "mark"
  atomicOr(&bits[latent * ${4 * WORDS}u + key / 32u], 1u << (key % 32u));
#else
  let start = latent * ${WORDS}u;
  let last = key / 128u;
  var before = 0u;
  for (var i = 0u; i < last; i++) { before += ones(bits[start + i]); }
  // Of the last four words those below the key's, and of its own word the bits below the key's.
  let word = vec4u(key / 32u % 4u);
  let own = (1u << (key % 32u)) - 1u;
  let place = vec4u(0u, 1u, 2u, 3u);
  let below = select(select(vec4u(), vec4u(own), place == word), vec4u(0xffffffffu), place < word);
  before += ones(bits[start + last] & below);
  list[lists[latent].x + before] =
    vec4u(bitcast<u32>(slot.x), bitcast<u32>(slot.y), token, p.residuals + token);
#end
#end
}
