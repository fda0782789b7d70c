// The most f32 arithmetic that an adapter can do: a = a * x + y, again and again.
//
//   out   [invocations] f32: the sum over the invocation's CHAINS
//   x, y  the same for all, unknown to the compiler
//
// CHAINS chains do not depend on each other, so that none waits for the last result of another; they
// and their operands fit the registers of every processor. A loop body is UNROLLED steps of straight
// line, so that the loop itself costs nothing; ROUNDS stay below what Mesa's lavapipe allows.
// Nothing is read, and one value is written per invocation.

struct Params { x: f32, y: f32 }

@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3u) {
#for c in 0..CHAINS
  var a${c} = 1.0 + f32(id.x % 8u + ${c}u) / 64.0;
#end
  let x = p.x;
  let y = p.y;
  for (var round = 0u; round < ${ROUNDS}u; round++) {
#for step in 0..UNROLLED
#for c in 0..CHAINS
    a${c} = fma(a${c}, x, y);
#end
#end
  }
  var sum = 0.0;
#for c in 0..CHAINS
  sum += a${c};
#end
  out[id.x] = sum;
}
