// Weights in their stored width. A texel is 16 bytes of one weight row: PER_TEXEL values, unpacked to
// f32 four at a time. bf16 is the upper half of an f32, so unpacking it is exact; so is f16.
//
//   WEIGHTS   "f32" (4 per texel), "f16" or "bf16" (8 per texel)
//
// A buffer holds the texels of a row one after the other. A texture holds panels of rows, interleaved: a
// panel's texels k of all its rows lie side by side, which is the order the texture product reads them
// in. Where a panel is wider than a texture may be, it goes on in the next rows of the texture: row
// PANEL * panel + j, texel segment * per_segment + k lies at (PANEL * k + j, panel * segments + segment).
//
// Joined in front of every kernel that reads a weight matrix.

#if WEIGHTS == "f32"
fn texel_low(q: vec4u) -> vec4f { return bitcast<vec4f>(q); }
#elif WEIGHTS == "f16"
fn texel_low(q: vec4u) -> vec4f { return vec4f(unpack2x16float(q.x), unpack2x16float(q.y)); }
fn texel_high(q: vec4u) -> vec4f { return vec4f(unpack2x16float(q.z), unpack2x16float(q.w)); }
#elif WEIGHTS == "bf16"
fn texel_low(q: vec4u) -> vec4f {
  return bitcast<vec4f>(vec4u(q.x << 16u, q.x & 0xffff0000u, q.y << 16u, q.y & 0xffff0000u));
}
fn texel_high(q: vec4u) -> vec4f {
  return bitcast<vec4f>(vec4u(q.z << 16u, q.z & 0xffff0000u, q.w << 16u, q.w & 0xffff0000u));
}
#end
