// Linear layer, texture family: Y[m, n] = f( sum_k X[m, k] W[n, k] + bias[n] )
//
//   X     texture, texel (k / 4, m): the activations
//   W     texture, texel (k / PER_TEXEL, n): one shard of the weights, HF layout [out, in]; weights.wgsl
//   Y     [rows, stride] f32; this shard fills columns [first, first + outs)
//   bias  [all outs] f32
//   f     after the bits of `flags`: 1 adds the bias, 2 applies ReLU, 4 adds to what Y holds
//
// For software Vulkan: on a CPU a storage-texture load is one straight 128-bit load, a storage-buffer
// load in a loop is a masked gather. A workgroup of LANES invocations computes TOKENS × (LANES * OUTS)
// results: lane = output, so all lanes read the same X texel. Token tiles run fastest, so that a panel
// of W stays in cache. Sums run over k in order, by fma: the result for a token is the same whatever
// the tile, the batch or the shard it is computed in.

struct Params { rows: u32, first: u32, outs: u32, stride: u32, texels: u32, flags: u32 }

@group(0) @binding(0) var X: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var W: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var<storage, read_write> Y: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

fn finish(at: u32, n: u32, sum: f32) {
  var v = sum;
  if ((p.flags & 1u) != 0u) { v += bias[n]; }
  if ((p.flags & 2u) != 0u) { v = max(v, 0.0); }
  if ((p.flags & 4u) != 0u) { v += Y[at]; }
  Y[at] = v;
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let m0 = group.x * ${TOKENS}u;
  let n0 = group.y * ${LANES * OUTS}u + lane.x;
#for m in 0..TOKENS
#for n in 0..OUTS
  var a${m}_${n} = 0.0;
#end
#end
  for (var k = 0u; k < p.texels; k++) {
#for n in 0..OUTS
    let q${n} = textureLoad(W, vec2u(k, n0 + ${n * LANES}u));
    let w${n} = texel_low(q${n});
#if PER_TEXEL == 8
    let v${n} = texel_high(q${n});
#end
#end
#for m in 0..TOKENS
    {
#if PER_TEXEL == 8
      let x = textureLoad(X, vec2u(2u * k, m0 + ${m}u));
      let y = textureLoad(X, vec2u(2u * k + 1u, m0 + ${m}u));
#else
      let x = textureLoad(X, vec2u(k, m0 + ${m}u));
#end
#for n in 0..OUTS
      a${m}_${n} = fma(x.w, w${n}.w, fma(x.z, w${n}.z, fma(x.y, w${n}.y, fma(x.x, w${n}.x, a${m}_${n}))));
#if PER_TEXEL == 8
      a${m}_${n} = fma(y.w, v${n}.w, fma(y.z, v${n}.z, fma(y.y, v${n}.y, fma(y.x, v${n}.x, a${m}_${n}))));
#end
#end
    }
#end
  }
#for n in 0..OUTS
  if (n0 + ${n * LANES}u < p.outs) {
    let n = p.first + n0 + ${n * LANES}u;
#for m in 0..TOKENS
    if (m0 + ${m}u < p.rows) { finish((m0 + ${m}u) * p.stride + n, n, a${m}_${n}); }
#end
  }
#end
}
