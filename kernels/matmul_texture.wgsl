// Linear layer, texture family: Y[m, n] = f( sum_k X[m, k] W[n, k] + bias[n] )
//
//   X     texture, texel (k / 4, m): the activations; or, where XBUFFER, [rows, 4 * x_stride] f32
//   W     texture: one shard of the weights, HF layout [out, in], in panels of PANEL rows; see weights.wgsl
//   Y     [rows, 4 * stride] f32; this shard fills columns [first, first + outs), the padding with zeros
//   bias  [all outs] f32, when BIAS
//   f     adds the bias when BIAS, then applies max(0, ·) when RELU
//   GATED W has the rows of a gate and of what it gates, four by turns (lib/gpu/gated_matrix.ts); Y and, with
//         "apart", Z have a column for two rows of it. "swiglu": Y = silu(gate) · up     (Shazeer 2020)
//                                                      "apart":  Y = gate, Z = up
//
// For software Vulkan: on a CPU a storage-texture load is one straight 128-bit load, a storage-buffer
// load in a loop is a masked gather. A workgroup of LANES invocations computes TOKENS × (LANES * OUTS)
// results: a lane has OUTS outputs (whole panels, whose texels lie side by side in the order they are
// read), and all lanes need the same texels of X. Where a workgroup is a subgroup (SHARED), each lane
// fetches one of them and broadcasts it; a broadcast is one instruction, a fetch some sixty. Elsewhere
// every lane fetches all. Tiles are kept small enough for the round of a loop, unrolled, to stay in the
// processor's instruction cache. Token tiles run fastest, so that W stays in cache. Sums run over k in
// order, by fma: the result for a token is the same whatever the tile, the batch or the shard it is
// computed in. Tiles that stick out repeat the last row and the last panel, which writes the same
// values twice: branches around all these stores take seconds to compile. (llvmpipe turns each fma into
// a multiplication and an addition, and each store into a loop over lanes: hence whole vectors.)

struct Params {
  rows: u32, first: u32, outs: u32, stride: u32, segments: u32, texels: u32, x_stride: u32,
}

#if XBUFFER
@group(0) @binding(0) var<storage, read> X: array<vec4f>;
#else
@group(0) @binding(0) var X: texture_storage_2d<rgba32float, read>;
#end
@group(0) @binding(1) var W: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var<storage, read_write> Y: array<vec4f>;
#if GATED == "apart"
@group(0) @binding(3) var<storage, read_write> Z: array<vec4f>;
#end
#if BIAS
@group(0) @binding(${BINDINGS - 2}) var<storage, read> bias: array<f32>;
#end
@group(0) @binding(${BINDINGS - 1}) var<uniform> p: Params;

#if XBUFFER
fn activations(at: u32, row: u32) -> vec4f { return X[row * p.x_stride + at]; }
#else
fn activations(at: u32, row: u32) -> vec4f { return textureLoad(X, vec2u(at, row)); }
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let token = group.x * ${TOKENS}u;
#for m in 0..TOKENS
  let m${m} = min(token + ${m}u, p.rows - 1u);
#end
#if SHARED
  // Lane l of fetch f has texel (f * LANES + l) of the tile: token by token, texel by texel.
  let part = lane.x % ${PER_TEXEL / 4}u;
#for f in 0..(TOKENS * PER_TEXEL / 4 + LANES - 1) / LANES
  let source${f} = min(token + (${f * LANES}u + lane.x) / ${PER_TEXEL / 4}u, p.rows - 1u);
#end
#end
#for j in 0..OUTS / PANEL
  let panel${j} = min((group.y * ${LANES}u + lane.x) * ${OUTS / PANEL}u + ${j}u, (p.outs - 1u) / ${PANEL}u);
#end
#for m in 0..TOKENS
#for n in 0..OUTS
  var a${m}_${n} = 0.0;
#end
#end
  for (var segment = 0u; segment < p.segments; segment++) {
#for j in 0..OUTS / PANEL
    let row${j} = panel${j} * p.segments + segment;
#end
    let start = segment * p.texels;
    for (var k = 0u; k < p.texels; k++) {
#if SHARED
#for f in 0..(TOKENS * PER_TEXEL / 4 + LANES - 1) / LANES
      let fetched${f} = activations(${PER_TEXEL / 4}u * (start + k) + part, source${f});
#end
#end
#for n in 0..OUTS
      let q${n} = textureLoad(W, vec2u(${PANEL}u * k + ${n % PANEL}u, row${n / PANEL}));
      let w${n} = texel_low(q${n});
#if PER_TEXEL == 8
      let v${n} = texel_high(q${n});
#end
#end
#for m in 0..TOKENS
      {
#if SHARED
#for i in m * PER_TEXEL / 4..m * PER_TEXEL / 4 + 1
        let x = subgroupBroadcast(fetched${i / LANES}, ${i % LANES}u);
#if PER_TEXEL == 8
        let y = subgroupBroadcast(fetched${(i + 1) / LANES}, ${(i + 1) % LANES}u);
#end
#end
#elif PER_TEXEL == 8
        let x = activations(2u * (start + k), m${m});
        let y = activations(2u * (start + k) + 1u, m${m});
#else
        let x = activations(start + k, m${m});
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
  }
#if GATED != "no"
#for j in 0..OUTS / PANEL
  {
    let first = p.first + panel${j} * ${PANEL}u;
    let quad = first / ${PANEL}u;
#if BIAS
    let gate_bias = vec4f(bias[first], bias[first + 1u], bias[first + 2u], bias[first + 3u]);
    let up_bias = vec4f(bias[first + 4u], bias[first + 5u], bias[first + 6u], bias[first + 7u]);
#else
    let gate_bias = vec4f();
    let up_bias = vec4f();
#end
#for m in 0..TOKENS
#for g in PANEL * j..PANEL * j + 1
    let gate${m} = vec4f(a${m}_${g}, a${m}_${g + 1}, a${m}_${g + 2}, a${m}_${g + 3}) + gate_bias;
    let up${m} = vec4f(a${m}_${g + 4}, a${m}_${g + 5}, a${m}_${g + 6}, a${m}_${g + 7}) + up_bias;
#end
#if GATED == "swiglu"
    Y[m${m} * p.stride + quad] = gate${m} / (1.0 + exp(-gate${m})) * up${m};
#else
    Y[m${m} * p.stride + quad] = gate${m};
    Z[m${m} * p.stride + quad] = up${m};
#end
#end
  }
#end
#else
#for q in 0..OUTS / 4
  {
    let n = panel${4 * q / PANEL} * ${PANEL}u + ${4 * q % PANEL}u;
    let quad = (p.first + n) / 4u;
#if BIAS
    let at = p.first + n;
    let b = select(vec4f(), vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]),
      vec4u(n, n + 1u, n + 2u, n + 3u) < vec4u(p.outs));
#end
#for m in 0..TOKENS
#for c in 4 * q..4 * q + 1
    let y${m} = vec4f(a${m}_${c}, a${m}_${c + 1}, a${m}_${c + 2}, a${m}_${c + 3});
#end
#if BIAS && RELU
    Y[m${m} * p.stride + quad] = max(y${m} + b, vec4f());
#elif BIAS
    Y[m${m} * p.stride + quad] = y${m} + b;
#elif RELU
    Y[m${m} * p.stride + quad] = max(y${m}, vec4f());
#else
    Y[m${m} * p.stride + quad] = y${m};
#end
#end
  }
#end
#end
}
