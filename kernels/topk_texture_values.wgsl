// What the TopK kernels of the texture family read, joined in front of them: topk_texture_maxima,
// topk_texture_select, topk_texture_exact.
//
//   pre  texture, texel (column / 4, row): VALUES == "activations", not negative, padding zero, or
//        VALUES == "logits", of any sign (logit_order.wgsl, joined in front of this)
//   p    rows and their width in columns; row_quads, maxima_quads: texels of a row and of its block maxima;
//        first: index of column 0; earlier: k when earlier columns have a TopK, else 0; slots of a list
//
// Bits of non-negative floats order as integers do; as *signed* integers, -0 counts as not positive.

struct Params {
  rows: u32,
  width: u32,
  row_quads: u32,
  maxima_quads: u32,
  first: u32,
  earlier: u32,
  k: u32,
  slots: u32,
}

@group(0) @binding(0) var pre: texture_storage_2d<rgba32uint, read>;

// Columns 4 * quad on of a row, as integers in their order; what lies past the width is not positive.
fn four(row: u32, quad: u32) -> vec4i {
  let bits = textureLoad(pre, vec2u(quad, row));
#if VALUES == "logits"
  let column = 4u * quad + vec4u(0u, 1u, 2u, 3u);
  return bitcast<vec4i>(select(vec4u(), logit_order(bits), column < vec4u(p.width)));
#else
  return bitcast<vec4i>(bits);
#end
}

fn ones(are: vec4<bool>) -> vec4u {
  return select(vec4u(), vec4u(1u), are);
}

fn sum(n: vec4u) -> u32 {
  return (n.x + n.y) + (n.z + n.w);
}

// Bit i is set where are[i].
fn bits_of(are: vec4<bool>) -> u32 {
  return sum(select(vec4u(), vec4u(1u, 2u, 4u, 8u), are));
}

