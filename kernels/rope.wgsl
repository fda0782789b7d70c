// Rotary position embedding, in place on the queries and keys of a packed projection.
// For head h, pair i < half:  (a, b) = (z[i], z[i + half])                       (RoFormer; HF layout)
//   z[i] = a cos - b sin        z[i + half] = b cos + a sin
//
//   z          [rows, stride] f32: heads of 2 * half values from column 0 on (queries, then keys)
//   positions  [rows] u32, position within the token's own text
//   table      [positions, half] (cos, sin), made on the host (plain, linear and llama3 scaling)
//
// One invocation per WIDTH pairs side by side: 4 or 2, a divisor of half. Strides and half are in vectors
// of WIDTH, `items` in such vectors of a token's first halves.

struct Params { rows: u32, stride: u32, items: u32, half_dim: u32 }

@group(0) @binding(0) var<storage, read_write> z: array<vec${WIDTH}f>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (item >= p.rows * p.items) { return; }
  let token = item / p.items;
  let n = item % p.items;
  let i = n % p.half_dim;
  let turn = positions[token] * p.half_dim + i;
#if WIDTH == 4
  let low = table[2u * turn];
  let high = table[2u * turn + 1u];
  let c = vec4f(low.xz, high.xz);
  let s = vec4f(low.yw, high.yw);
#else
  let c = table[turn].xz;
  let s = table[turn].yw;
#end
  let at = token * p.stride + 2u * n - i;
  let a = z[at];
  let b = z[at + p.half_dim];
  z[at] = a * c - b * s;
  z[at + p.half_dim] = b * c + a * s;
}
