// Logits, in place, as positive floats in the same order (logit_order.wgsl, joined in front), for the exact
// TopK of the tile family (topk_select.wgsl), which takes what is not negative.
//
//   x  [count / quads rows, 4 * quads] f32: `width` logits each; the padding becomes 0, below all others
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
      let column = at % p.quads * 4u + vec4u(0u, 1u, 2u, 3u);
      x[at] = select(vec4u(), logit_order(x[at]), column < vec4u(p.width));
    }
  }
#end
}
