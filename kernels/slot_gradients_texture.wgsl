// What each selected latent of each token gets of the gradient of an output, on software Vulkan: see
// slot_gradients.wgsl, whose results these are.
//
//   r        [.., quads] texels: what was decoded minus what it should have been; from `first_row` on
//   decoder  [latents, quads] texels: rows `first` to `first + latents` of W_dec; with PART there are
//            others, whose slots are left as they are
//
// One invocation per slot, which reads textures SPAN texels at a time: no lane waits for another, and
// those of a token read the same texel of r.

struct Params {
  rows: u32, quads: u32, k: u32, first: u32, latents: u32, factor: u32, first_row: u32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> slots: array<vec2f>;
@group(0) @binding(3) var r: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var<storage, read> indices: array<u32>;
@group(0) @binding(5) var decoder: texture_storage_2d<rgba32float, read>;
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let at = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (at >= p.rows * p.k) { return; }
  let row = at / p.k;
  let latent = indices[at] - p.first;
#if PART
  if (latent >= p.latents) { return; }
#end
  let value = values[at];
#if CLIPPED
  let quads = p.quads;
#else
  let quads = select(0u, p.quads, value > 0.0);
#end
  var sums = vec4f();
  for (var i = 0u; i < quads; i += ${SPAN}u) {
#for s in 0..SPAN
    sums = fma(
      textureLoad(r, vec2u(i + ${s}u, p.first_row + row)),
      textureLoad(decoder, vec2u(i + ${s}u, latent)),
      sums,
    );
#end
  }
  let scale = factors[p.factor];
  slots[at] = scale * vec2f(value, (sums.x + sums.y) + (sums.z + sums.w));
}
