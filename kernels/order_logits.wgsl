// Logits, in place, as positive floats in the same order, for the exact TopK (topk_select.wgsl), which
// takes what is not negative; sample.wgsl turns them back.
//
//   x  [count / quads rows, 4 * quads] f32: `width` logits each; the padding becomes 0, below all others
//
// The bits of a positive float order as integers do. Of |x| they are moved down by 65 binades into
// 0 … 0x3f7fffff, then up (x > 0) or down (x < 0) from 0x40000000, so the result is an ordinary positive
// float. Exact for 0 and 2^-62 <= |x| < 2^64; beyond, logits become equal to 0 or to each other.
//
// SPAN vec4s per invocation, LANES apart.

struct Params { count: u32, quads: u32, width: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<vec4u>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
      let bits = x[at];
      let magnitude = bits & vec4u(0x7fffffffu);
      let moved = min(max(magnitude, vec4u(0x20800000u)) - 0x20800000u, vec4u(0x3f7fffffu));
      let ordered = select(0x40000000u + moved, 0x40000000u - moved, bits > vec4u(0x7fffffffu));
      let column = at % p.quads * 4u + vec4u(0u, 1u, 2u, 3u);
      x[at] = select(vec4u(), ordered, column < vec4u(p.width));
    }
  }
#end
}
