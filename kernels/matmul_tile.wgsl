// Linear layer, tile family: Y[m, n] = f( sum_k X[m, k] W[n, k] + bias[n] )
//
//   X     [rows, 4 * x_quads] f32: the activations
//   W     [outs, texels] vec4u: one shard of the weights, HF layout [out, in]; see weights.wgsl
//   Y     [rows, stride] f32; this shard fills columns [first, first + outs)
//   bias  [all outs] f32, when BIAS
//   f     adds the bias when BIAS, then applies max(0, ·) when RELU
//   GATED W has the rows of a gate and of what it gates, 16 by turns (lib/gpu/gated_matrix.ts); Y and, with
//         "apart", Z have a column for two rows of it. "swiglu": Y = silu(gate) · up     (Shazeer 2020)
//                                                      "apart":  Y = gate, Z = up
//
// For GPUs: a workgroup of 16 × 16 invocations computes TILE × TILE results (TILE = 16 * EACH). Slabs
// of DEPTH columns of X and W are staged in workgroup memory, transposed so that the inner loop reads
// consecutive words; each invocation keeps EACH × EACH sums in registers. Its rows and columns lie 16
// apart, which keeps reads of workgroup memory free of bank conflicts. Sums run over k in order by fma.

struct Params { rows: u32, first: u32, outs: u32, stride: u32, texels: u32, x_quads: u32 }

@group(0) @binding(0) var<storage, read> X: array<vec4f>;
@group(0) @binding(1) var<storage, read> W: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> Y: array<f32>;
#if GATED == "apart"
@group(0) @binding(3) var<storage, read_write> Z: array<f32>;
#end
#if BIAS
@group(0) @binding(${BINDINGS - 2}) var<storage, read> bias: array<f32>;
#end
@group(0) @binding(${BINDINGS - 1}) var<uniform> p: Params;

var<workgroup> xs: array<f32, ${TILE * DEPTH}>;
var<workgroup> ws: array<f32, ${TILE * DEPTH}>;

fn finish(sum: f32, n: u32) -> f32 {
  var v = sum;
#if BIAS
  v += bias[n];
#end
#if RELU
  v = max(v, 0.0);
#end
  return v;
}

@compute @workgroup_size(16, 16)
fn main(
  @builtin(local_invocation_id) lane: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(workgroup_id) group: vec3u,
) {
  let m0 = group.x * ${TILE}u;
  let n0 = group.y * ${TILE}u;
#for m in 0..EACH
#for n in 0..EACH
  var a${m}_${n} = 0.0;
#end
#end
  let slabs = p.texels / ${DEPTH / PER_TEXEL}u;
  for (var slab = 0u; slab < slabs; slab++) {
    for (var i = index; i < ${TILE * DEPTH / 4}u; i += 256u) {
      let row = i / ${DEPTH / 4}u;
      let quad = i % ${DEPTH / 4}u;
      var v = vec4f();
      if (m0 + row < p.rows) { v = X[(m0 + row) * p.x_quads + slab * ${DEPTH / 4}u + quad]; }
#for c in 0..4
      xs[(4u * quad + ${c}u) * ${TILE}u + row] = v[${c}];
#end
    }
    for (var i = index; i < ${TILE * DEPTH / PER_TEXEL}u; i += 256u) {
      let row = i / ${DEPTH / PER_TEXEL}u;
      let texel = i % ${DEPTH / PER_TEXEL}u;
      var q = vec4u();
      if (n0 + row < p.outs) { q = W[(n0 + row) * p.texels + slab * ${DEPTH / PER_TEXEL}u + texel]; }
      let low = texel_low(q);
#for c in 0..4
      ws[(${PER_TEXEL}u * texel + ${c}u) * ${TILE}u + row] = low[${c}];
#end
#if PER_TEXEL == 8
      let high = texel_high(q);
#for c in 0..4
      ws[(8u * texel + ${4 + c}u) * ${TILE}u + row] = high[${c}];
#end
#end
    }
    workgroupBarrier();
#for k in 0..DEPTH
    {
#for m in 0..EACH
      let x${m} = xs[${k * TILE + 16 * m}u + lane.y];
#end
#for n in 0..EACH
      let w${n} = ws[${k * TILE + 16 * n}u + lane.x];
#for m in 0..EACH
      a${m}_${n} = fma(x${m}, w${n}, a${m}_${n});
#end
#end
    }
#end
    workgroupBarrier();
  }
#if GATED != "no"
#for i in 0..EACH / 2
  if (n0 + lane.x + ${32 * i}u < p.outs) {
    let n = p.first + n0 + lane.x + ${32 * i}u;
    let column = (p.first + n0) / 2u + lane.x + ${16 * i}u;
#for m in 0..EACH
    if (m0 + lane.y + ${16 * m}u < p.rows) {
      let at = (m0 + lane.y + ${16 * m}u) * p.stride + column;
      let gate = finish(a${m}_${2 * i}, n);
      let up = finish(a${m}_${2 * i + 1}, n + 16u);
#if GATED == "swiglu"
      Y[at] = gate / (1.0 + exp(-gate)) * up;
#else
      Y[at] = gate;
      Z[at] = up;
#end
    }
#end
  }
#end
#else
#for n in 0..EACH
  if (n0 + lane.x + ${16 * n}u < p.outs) {
    let n = p.first + n0 + lane.x + ${16 * n}u;
#for m in 0..EACH
    if (m0 + lane.y + ${16 * m}u < p.rows) { Y[(m0 + lane.y + ${16 * m}u) * p.stride + n] = finish(a${m}_${n}, n); }
#end
  }
#end
#end
}
