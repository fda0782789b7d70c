// Sparse decode: r[first_row + t] = base[t] + sum_j values[t, j] W_dec[indices[t, j]]
//
//   base  the sum of what is there: OWN r[own_row + t], START start[t], BIAS b_dec, TARGET -target[t]
//
//   values, indices  [rows, k]
//   decoder          [latents, quads] vec4f, with TEXTURE texels: rows `first` to `first + latents` of
//                    W_dec; with PART there are others, whose slots are left out
//   r                [.., quads] vec4f: rows of all sections of a chunk
//   start, target    [rows, quads] vec4f; bias [quads] vec4f
//
// Work is proportional to k, not to the number of latents, and with SORTED (values descending) ends where
// values do: of AuxK's slots few may be in use. One workgroup per token and LANES * QUADS
// vec4s of its row, which stay in registers; slots in their order. Vec4s past the row are computed with
// whatever lies there, and not stored.

struct Params {
  rows: u32, quads: u32, blocks: u32, k: u32, first: u32, latents: u32, first_row: u32, own_row: u32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
#if TEXTURE
@group(0) @binding(2) var decoder: texture_storage_2d<rgba32float, read>;
#else
@group(0) @binding(2) var<storage, read> decoder: array<vec4f>;
#end
@group(0) @binding(3) var<storage, read_write> r: array<vec4f>;
#if START
@group(0) @binding(4) var<storage, read> start: array<vec4f>;
#end
#if BIAS
@group(0) @binding(${4 + START}) var<storage, read> bias: array<vec4f>;
#end
#if TARGET
@group(0) @binding(${4 + START + BIAS}) var<storage, read> target_row: array<vec4f>;
#end
@group(0) @binding(${4 + START + BIAS + TARGET}) var<uniform> p: Params;

fn decoder_at(latent: u32, column: u32) -> vec4f {
#if TEXTURE
  return textureLoad(decoder, vec2u(column, latent));
#else
  return decoder[latent * p.quads + column];
#end
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = group.y * ${GRID}u + group.x;
  let row = item / p.blocks;
  if (row >= p.rows) { return; }
  let column = item % p.blocks * ${LANES * QUADS}u + lane.x;
  let at = row * p.quads + column;
#for q in 0..QUADS
  var a${q} = vec4f();
#if OWN
  a${q} += r[at + p.own_row * p.quads + ${q * LANES}u];
#end
#if START
  a${q} += start[at + ${q * LANES}u];
#end
#if BIAS
  a${q} += bias[column + ${q * LANES}u];
#end
#if TARGET
  a${q} -= target_row[at + ${q * LANES}u];
#end
#end
  for (var j = row * p.k; j < (row + 1u) * p.k; j++) {
    let value = values[j];
#if SORTED
    if (value == 0.0) { break; }
#end
    let latent = indices[j] - p.first;
#if PART
    if (latent >= p.latents) { continue; }
#end
#for q in 0..QUADS
    a${q} = fma(vec4f(value), decoder_at(latent, column + ${q * LANES}u), a${q});
#end
  }
#for q in 0..QUADS
  if (column + ${q * LANES}u < p.quads) {
    r[at + p.first_row * p.quads + ${q * LANES}u] = a${q};
  }
#end
}
