// Gradients of the encoder and decoder rows of some latents, each summed over its list of slots:
//
//   dW_dec[i] += sum of slot.x r[slot.w]     dW_enc[i] += sum of slot.y x[slot.z]     db_enc[i] += sum of slot.y
//
//   lists     [latents] vec2u and list vec4u, from latent_lists.wgsl
//   r         [.., quads] vec4f, with TEXTURE texels: residuals of all sections
//   x         [rows, quads] the same: what the encoder read
//   decoder, encoder  [latents, quads] vec4f: gradients        bias  [latents] f32
//
// Work is proportional to the slots, not to the latents: latents without any return at once. One
// workgroup per latent and LANES * QUADS vec4s of its rows, which stay in registers. A sum starts from
// what is there and takes token after token, so it is the same however tokens are cut into chunks.

struct Params { latents: u32, quads: u32, blocks: u32 }

@group(0) @binding(0) var<storage, read> lists: array<vec2u>;
@group(0) @binding(1) var<storage, read> list: array<vec4u>;
#if TEXTURE
@group(0) @binding(2) var r: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var x: texture_storage_2d<rgba32float, read>;
#else
@group(0) @binding(2) var<storage, read> r: array<vec4f>;
@group(0) @binding(3) var<storage, read> x: array<vec4f>;
#end
@group(0) @binding(4) var<storage, read_write> decoder: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> encoder: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> bias: array<f32>;
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = group.y * ${GRID}u + group.x;
  let latent = item / p.blocks;
  if (latent >= p.latents) { return; }
  let entries = lists[latent];
  if (entries.y == 0u) { return; }
  let block = item % p.blocks;
  let column = block * ${LANES * QUADS}u + lane.x;
  let at = latent * p.quads + column;
#for q in 0..QUADS
  var d${q} = decoder[at + ${q * LANES}u];
  var e${q} = encoder[at + ${q * LANES}u];
#end
  var b = bias[latent];
  for (var i = entries.x; i < entries.x + entries.y; i++) {
    let entry = list[i];
    let share = bitcast<vec2f>(entry.xy);
#for q in 0..QUADS
#if TEXTURE
    d${q} = fma(vec4f(share.x), textureLoad(r, vec2u(column + ${q * LANES}u, entry.w)), d${q});
    e${q} = fma(vec4f(share.y), textureLoad(x, vec2u(column + ${q * LANES}u, entry.z)), e${q});
#else
    d${q} = fma(vec4f(share.x), r[entry.w * p.quads + column + ${q * LANES}u], d${q});
    e${q} = fma(vec4f(share.y), x[entry.z * p.quads + column + ${q * LANES}u], e${q});
#end
#end
    b += share.y;
  }
#for q in 0..QUADS
  if (column + ${q * LANES}u < p.quads) {
    decoder[at + ${q * LANES}u] = d${q};
    encoder[at + ${q * LANES}u] = e${q};
  }
#end
  if (block == 0u && lane.x == 0u) { bias[latent] = b; }
}
