// Lists the values of each row that can be among its k largest, in the order of their columns.
//
//   pre      see topk_texture_values.wgsl
//   maxima   texture, from topk_texture_maxima.wgsl
//   values   [rows, k] f32         indices  [rows, k] u32: the TopK of earlier columns when p.earlier = k,
//            which go in front of the list; not read when p.earlier = 0
//   list_values, list_indices  [rows, slots]: the list
//   hits     [rows, most] u32, scratch: blocks with such a value
//   counts   [rows] u32: length of the list, or, for topk_texture_exact.wgsl, OVERFULL where more than
//            most = slots - k values are in question, UNDERFULL where fewer than k are positive
//
// When k block maxima are >= tau, k distinct blocks hold an element >= tau, so the k-th largest element
// is >= tau too. Bisect the largest such tau over the upper bits of the maxima, two bits a round (a tau
// that is a little too small costs a few more candidates), then list the blocks that have an element
// >= tau, then those elements. Where earlier columns have a TopK, only what exceeds the last of it can be
// among the k largest, since ties go to the lower index.
//
// One invocation per row and nothing shared: on a CPU lanes are cheap and barriers are not, and the rows
// of a group take about the same number of rounds.

@group(0) @binding(1) var maxima: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(2) var<storage, read> values: array<i32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> list_values: array<i32>;
@group(0) @binding(5) var<storage, read_write> list_indices: array<u32>;
@group(0) @binding(6) var<storage, read_write> hits: array<u32>;
@group(0) @binding(7) var<storage, read_write> counts: array<u32>;
@group(0) @binding(8) var<uniform> p: Params;

fn four_maxima(row: u32, quad: u32) -> vec4i {
  return bitcast<vec4i>(textureLoad(maxima, vec2u(quad, row)));
}

// Largest tau, but for its lower 15 bits, that K maxima of the row reach.
fn bisect(row: u32) -> i32 {
  var tau = 0;
  for (var round = 0u; round < 8u; round++) {
    let step = 0x20000000 >> (2u * round);
    var n1 = vec4u();
    var n2 = vec4u();
    var n3 = vec4u();
    for (var quad = 0u; quad < p.maxima_quads; quad++) {
      let m = four_maxima(row, quad);
      n1 += ones(m >= vec4i(tau + step));
      n2 += ones(m >= vec4i(tau + 2 * step));
      n3 += ones(m >= vec4i(tau + 3 * step));
    }
    let enough = vec3u(sum(n1), sum(n2), sum(n3)) >= vec3u(p.k);
    let steps = select(vec3i(), vec3i(1), enough);
    tau += step * (steps.x + steps.y + steps.z);
  }
  return tau;
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.x * ${LANES}u + lane.x;
  if (row >= p.rows) { return; }
  let list = row * p.slots;
  let most = p.slots - p.k;
  for (var i = 0u; i < p.earlier; i++) {
    list_values[list + i] = values[row * p.k + i];
    list_indices[list + i] = indices[row * p.k + i];
  }
  var floor = max(bisect(row), 1);
  if (p.earlier > 0u) { floor = max(floor, values[row * p.k + p.k - 1u] + 1); }

  var hit = 0u;
  for (var quad = 0u; quad < p.maxima_quads; quad += 8u) {
    var bits = 0u;
#for t in 0..8
    bits |= bits_of(four_maxima(row, quad + ${t}u) >= vec4i(floor)) << ${4 * t}u;
#end
    while (bits != 0u) {
      if (hit < most) { hits[row * most + hit] = 4u * quad + countTrailingZeros(bits); }
      hit++;
      bits &= bits - 1u;
    }
  }

  var found = select(0u, hit, hit > most);
  let parts = select(${PARTS}u * hit, 0u, hit > most);
  for (var part = 0u; part < parts && found <= most; part++) {
    let block = hits[row * most + part / ${PARTS}u];
    let quad = (block * ${PARTS}u + part % ${PARTS}u) * ${BLOCK / PARTS / 4}u;
    var bits = 0u;
#for t in 0..BLOCK / PARTS / 4
    bits |= bits_of(four(row, quad + ${t}u) >= vec4i(floor)) << ${4 * t}u;
#end
    while (bits != 0u) {
      let column = 4u * quad + countTrailingZeros(bits);
      if (found < most) {
        let slot = list + p.earlier + found;
        list_values[slot] = four(row, column / 4u)[column % 4u];
        list_indices[slot] = p.first + column;
      }
      found++;
      bits &= bits - 1u;
    }
  }
  var count = p.earlier + found;
  if (found > most) { count = ${OVERFULL}u; }
  else if (count < p.k) { count = ${UNDERFULL}u; }
  counts[row] = count;
}
