// What each selected latent of each token gets of the gradient g = factors[factor] r[t] of an output:
//
//   slots[t, j] = (g's share that goes to W_dec: factor * act,  g's share that goes to the latent: dpre)
//   dpre = <g, W_dec[indices[t, j]]>
//
//   ENCODER 0  the latent's share is discarded: dpre = 0, and r, indices and decoder are not bound
//   CLIPPED    a slot that ReLU clipped to 0 passes the gradient all the same; else its dpre = 0
//
//   r                [.., quads] vec4f: what was decoded minus what it should have been; from `first_row` on
//   values, indices  [rows, k]
//   decoder          [latents, quads] vec4f: rows `first` to `first + latents` of W_dec; with PART there
//                    are others, whose slots are left as they are
//   factors          f32
//   slots            [rows, k] vec2f
//
// One workgroup of LANES per token and SLOTS slots: a lane reads a vec4 of r once for all of them.
// Partial products are added in lane order, so a slot's result depends on nothing but its token.

struct Params {
  rows: u32, quads: u32, batches: u32, k: u32, first: u32, latents: u32, factor: u32, first_row: u32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read_write> slots: array<vec2f>;
#if ENCODER
@group(0) @binding(3) var<storage, read> r: array<vec4f>;
@group(0) @binding(4) var<storage, read> indices: array<u32>;
@group(0) @binding(5) var<storage, read> decoder: array<vec4f>;
#end
@group(0) @binding(${3 + 3 * ENCODER}) var<uniform> p: Params;

#if ENCODER
var<workgroup> partial: array<f32, ${LANES * SLOTS}>;
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let item = group.y * ${GRID}u + group.x;
  let row = item / p.batches;
  if (row >= p.rows) { return; }
  let slot = item % p.batches * ${SLOTS}u;
#if ENCODER
  // Slots past the last repeat it.
#for s in 0..SLOTS
  let origin${s} = (indices[row * p.k + min(slot + ${s}u, p.k - 1u)] - p.first) * p.quads;
  var d${s} = 0.0;
#end
#if CLIPPED
  let quads = p.quads;
#else
  // Nothing to compute where no slot passes a gradient on.
  var passes = false;
#for s in 0..SLOTS
  passes = passes || values[row * p.k + min(slot + ${s}u, p.k - 1u)] > 0.0;
#end
  let quads = select(0u, p.quads, passes);
#end
  for (var i = lane; i < quads; i += ${LANES}u) {
    let v = r[(p.first_row + row) * p.quads + i];
#for s in 0..SLOTS
    d${s} += dot(v, decoder[origin${s} + i]);
#end
  }
#for s in 0..SLOTS
  partial[${s * LANES}u + lane] = d${s};
#end
  workgroupBarrier();
#end
  let mine = slot + lane;
  if (lane >= ${SLOTS}u || mine >= p.k) { return; }
  let at = row * p.k + mine;
#if PART
  if (indices[at] - p.first >= p.latents) { return; }
#end
  let value = values[at];
  let scale = factors[p.factor];
  var dpre = 0.0;
#if ENCODER
#for l in 0..LANES
  dpre += partial[lane * ${LANES}u + ${l}u];
#end
  dpre *= scale;
#if !CLIPPED
  dpre = select(0.0, dpre, value > 0.0);
#end
#end
  slots[at] = vec2f(scale * value, dpre);
}
