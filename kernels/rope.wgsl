// Rotary position embedding, in place on the queries and keys of a packed projection.
// For head h, pair i < half:  (a, b) = (z[i], z[i + half])                       (RoFormer; HF layout)
//   z[i] = a cos - b sin        z[i + half] = b cos + a sin
//
//   z          [rows, stride] f32: `heads` heads of 2 * half values from column 0 on (queries, then keys)
//   positions  [rows] u32, position within the token's own text
//   table      [positions, half] vec2f (cos, sin), made on the host (plain, linear and llama3 scaling)
//
// One workgroup of LANES per token.

struct Params { rows: u32, stride: u32, heads: u32, half_dim: u32 }

@group(0) @binding(0) var<storage, read_write> z: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec2f>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let token = group.y * ${GRID}u + group.x;
  if (token >= p.rows) { return; }
  let angles = positions[token] * p.half_dim;
  for (var n = lane.x; n < p.heads * p.half_dim; n += ${LANES}u) {
    let head = n / p.half_dim;
    let i = n % p.half_dim;
    let at = token * p.stride + head * 2u * p.half_dim + i;
    let a = z[at];
    let b = z[at + p.half_dim];
    let turn = table[angles + i];
    z[at] = a * turn.x - b * turn.y;
    z[at + p.half_dim] = b * turn.x + a * turn.y;
  }
}
