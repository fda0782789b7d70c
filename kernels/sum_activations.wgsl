// Adds up activation vectors: sums[c] += sum over counted tokens t of x[t, c]
//
//   x        [rows, 4 * quads] f32
//   example  [rows] u32: NOT_COUNTED leaves the token out
//   sums     [width, 2] u32: 64-bit two's complement, low word first, in units of 2^-24
//
// accumulate.wgsl is joined in front. One invocation per four columns and ROWS tokens; its share goes into
// the sums by integer atomics, so the result is the same whatever the order, the batch or the device.

struct Params { rows: u32, quads: u32, width: u32, column_groups: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> example: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = group.y * ${GRID}u + group.x;
  let quad = (item % p.column_groups) * ${LANES}u + lane.x;
  let first = item / p.column_groups * ${ROWS}u;
  if (quad >= p.quads || first >= p.rows) { return; }
  var low = vec4u();
  var high = vec4u();
  for (var t = first; t < min(first + ${ROWS}u, p.rows); t++) {
    let v = select(x[t * p.quads + quad], vec4f(), example[t] == NOT_COUNTED);
#for i in 0..4
    let amount${i} = fixed_point(v[${i}]);
#end
    let lows = vec4u(amount0.x, amount1.x, amount2.x, amount3.x);
    low += lows;
    high += vec4u(amount0.y, amount1.y, amount2.y, amount3.y) + select(vec4u(), vec4u(1u), low < lows);
  }
#for i in 0..4
  {
    let column = 4u * quad + ${i}u;
    if (column < p.width) {
      let before = atomicAdd(&sums[2u * column], low[${i}]);
      let carry = select(0u, 1u, before + low[${i}] < before);
      atomicAdd(&sums[2u * column + 1u], high[${i}] + carry);
    }
  }
#end
}
