// Self-test: does a long loop run to its end? ran[i] = number of rounds, ROUNDS expected
//
//   ran  [1] u32
//
// Mesa 22's lavapipe stops every loop after 65,535 rounds per invocation, without an error.

@group(0) @binding(0) var<storage, read_write> ran: array<u32>;

@compute @workgroup_size(1)
fn main() {
  var n = 0u;
  for (var i = 0u; i < ${ROUNDS}u; i++) { n += 1u + (ran[0] & 1u); }
  ran[0] = n;
}
