// Arithmetic that rounds to bf16, to nearest and ties to even, after every operation:
//
//   OP "round"  y = bf16(y)
//      "scale"  y = bf16(factor x)
//      "add"    y = bf16(bf16(factor x) + bf16(y))
//
//   x, y  [count] vec4f; values fill f32, 16 of whose bits are zero
//
// SPAN vec4s per invocation, LANES apart.

struct Params { count: u32, factor: f32 }

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
#if OP != "round"
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
#end
@group(0) @binding(${(OP != "round") + 1}) var<uniform> p: Params;

fn bf16(v: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(v);
  let half = vec4u(0x7fffu) + ((bits >> vec4u(16u)) & vec4u(1u));
  return bitcast<vec4f>((bits + half) & vec4u(0xffff0000u));
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
#if OP == "round"
      y[at] = bf16(y[at]);
#elif OP == "scale"
      y[at] = bf16(p.factor * x[at]);
#else
      y[at] = bf16(bf16(p.factor * x[at]) + bf16(y[at]));
#end
    }
  }
#end
}
