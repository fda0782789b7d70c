// The product a screen would run, to time its arithmetic: Y[m, n] = sum_k X[m, k] W[n, k]
//
//   X, W  textures of 16-byte texels: texel (k / PER_TEXEL, m) and, in panels of OUTS rows,
//         (OUTS * (k / PER_TEXEL) + n % OUTS, n / OUTS); PER_TEXEL is 16 for i8, 8 for f16
//   Y     [tokens, outs] f32, both multiples of the tile
//   TYPE  "i8": four columns at a time by dot4I8Packed, summed exactly in i32
//         "f16": a texel's eight products in f16, two lanes of four; their sums in f32
//
// Built like kernels/matmul_texture.wgsl, so that the two differ in their arithmetic; with smaller tiles,
// since its 16 × 16 is slower still here.

#if TYPE == "f16"
enable f16;
#end

struct Params { outs: u32, texels: u32 }

@group(0) @binding(0) var X: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var W: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var<storage, read_write> Y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

#if TYPE == "f16"
// naga does not type bitcast<vec2h>(u32) rightly.
fn halves(word: u32) -> vec2h { return vec2h(unpack2x16float(word)); }

fn products(x0: vec2h, x1: vec2h, x2: vec2h, x3: vec2h, w0: vec2h, w1: vec2h, w2: vec2h, w3: vec2h) -> f32 {
  let sum = fma(x3, w3, fma(x2, w2, fma(x1, w1, x0 * w0)));
  return f32(sum.x) + f32(sum.y);
}
#end

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let panel = group.y * ${LANES}u + lane.x;
#for m in 0..TOKENS
  let m${m} = group.x * ${TOKENS}u + ${m}u;
#for n in 0..OUTS
#if TYPE == "i8"
  var a${m}_${n} = 0i;
#else
  var a${m}_${n} = 0.0;
#end
#end
#end
  for (var k = 0u; k < p.texels; k++) {
#for n in 0..OUTS
    let w${n} = textureLoad(W, vec2u(${OUTS}u * k + ${n}u, panel));
#if TYPE == "f16"
#for i in 0..4
    let w${n}_${i} = halves(w${n}[${i}]);
#end
#end
#end
#for m in 0..TOKENS
    {
      let x = textureLoad(X, vec2u(k, m${m}));
#if TYPE == "f16"
#for i in 0..4
      let x${i} = halves(x[${i}]);
#end
#end
#for n in 0..OUTS
#if TYPE == "i8"
      a${m}_${n} += dot4I8Packed(x.x, w${n}.x) + dot4I8Packed(x.y, w${n}.y)
        + dot4I8Packed(x.z, w${n}.z) + dot4I8Packed(x.w, w${n}.w);
#else
      a${m}_${n} += products(x0, x1, x2, x3, w${n}_0, w${n}_1, w${n}_2, w${n}_3);
#end
#end
    }
#end
  }
#for m in 0..TOKENS
#for n in 0..OUTS
  Y[m${m} * p.outs + panel * ${OUTS}u + ${n}u] = f32(a${m}_${n});
#end
#end
}
