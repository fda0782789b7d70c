// How many tokens ago each latent last fired, and which latents are dead.
//
//   STEP "mark"  fired[indices[s]] = 1 for every slot s with values[s] > 0; with ZEROS for every slot
//   STEP "age"   since = 0 where fired, else since + tokens (at most 2^32 - 1); fired = 0;
//                dead = 1 where since > threshold, else 0; dead_count is their number
//
//   values, indices  [count]
//   fired, since     [latents] u32
//   dead             [latents] f32
//   dead_count       [1] u32, zero before
//
// One invocation per slot or latent; integer atomics only.

struct Params { count: u32, tokens: u32, threshold: u32 }

#if STEP == "mark"
@group(0) @binding(0) var<storage, read> indices: array<u32>;
@group(0) @binding(1) var<storage, read_write> fired: array<atomic<u32>>;
#if !ZEROS
@group(0) @binding(2) var<storage, read> values: array<f32>;
#end
@group(0) @binding(${3 - ZEROS}) var<uniform> p: Params;
#else
@group(0) @binding(0) var<storage, read_write> fired: array<u32>;
@group(0) @binding(1) var<storage, read_write> since: array<u32>;
@group(0) @binding(2) var<storage, read_write> dead: array<f32>;
@group(0) @binding(3) var<storage, read_write> dead_count: atomic<u32>;
@group(0) @binding(4) var<uniform> p: Params;
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.count) { return; }
#if STEP == "mark"
#if !ZEROS
  if (!(values[item] > 0.0)) { return; }
#end
  atomicStore(&fired[indices[item]], 1u);
#else
  let older = since[item] + min(p.tokens, 0xffffffffu - since[item]);
  let age = select(older, 0u, fired[item] > 0u);
  fired[item] = 0u;
  since[item] = age;
  let is_dead = age > p.threshold;
  dead[item] = select(0.0, 1.0, is_dead);
  if (is_dead) { atomicAdd(&dead_count, 1u); }
#end
}
