// Logits as positive floats in the same order, for a TopK of what is not negative; sample.wgsl turns them
// back. Joined in front of the kernels that need it.
//
// The bits of a positive float order as integers do. Of |x| they are moved down by 65 binades into
// 0 … 0x3f7fffff, then up (x > 0) or down (x < 0) from 0x40000000, so the result is an ordinary positive
// float. Exact for 0 and 2^-62 <= |x| < 2^64; beyond, logits become equal to 0 or to each other.

fn logit_order(bits: vec4u) -> vec4u {
  let magnitude = bits & vec4u(0x7fffffffu);
  let moved = min(max(magnitude, vec4u(0x20800000u)) - 0x20800000u, vec4u(0x3f7fffffu));
  return select(0x40000000u + moved, 0x40000000u - moved, bits > vec4u(0x7fffffffu));
}

