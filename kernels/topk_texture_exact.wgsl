// Lists exactly k values of the rows that topk_texture_select.wgsl gave up on: very many equal or nearly
// equal values (OVERFULL), or fewer positive ones than k (UNDERFULL). Other rows cost nearly nothing.
//
//   pre                        see topk_texture_values.wgsl
//   list_values, list_indices  [rows, slots]: slots p.earlier to p.earlier + k are written
//   counts                     [rows] u32, see topk_texture_select.wgsl; becomes p.earlier + k
//
// Bisects the k-th largest value over all bits, two a round, then takes what is larger and as many equal
// values as are still needed, in the order of columns. Where fewer than k are positive the k-th is 0 and
// the zeros at the lowest columns fill up, as a stable sort would; slots without a column get 2^32 - 1.
//
// One invocation per row; a round takes 64 columns, so that even wide rows end before 65,535 rounds.

@group(0) @binding(1) var<storage, read_write> list_values: array<i32>;
@group(0) @binding(2) var<storage, read_write> list_indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

// How many values of a row reach each of three others.
fn count_from(row: u32, least: vec3i) -> vec3u {
  var n1 = vec4u();
  var n2 = vec4u();
  var n3 = vec4u();
  for (var quad = 0u; quad < p.row_quads; quad += 16u) {
#for t in 0..16
    let v${t} = four(row, quad + ${t}u);
    n1 += ones(v${t} >= vec4i(least.x));
    n2 += ones(v${t} >= vec4i(least.y));
    n3 += ones(v${t} >= vec4i(least.z));
#end
  }
  return vec3u(sum(n1), sum(n2), sum(n3));
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.x * ${LANES}u + lane.x;
  if (row >= p.rows) { return; }
  let state = counts[row];
  if (state != ${OVERFULL}u && state != ${UNDERFULL}u) { return; }

  var kth = 0;
  let rounds = select(0u, 16u, state == ${OVERFULL}u);
  for (var round = 0u; round < rounds; round++) {
    let step = max(0x20000000 >> (2u * round), 1);
    let enough = count_from(row, kth + step * vec3i(1, 2, 3)) >= vec3u(p.k);
    let steps = select(vec3i(), vec3i(1), enough);
    kth += step * (steps.x + steps.y + steps.z);
  }
  var ties = p.k - count_from(row, vec3i(kth + 1)).x;

  let list = row * p.slots + p.earlier;
  var count = 0u;
  for (var quad = 0u; quad < p.row_quads && count < p.k; quad += 8u) {
    var larger = 0u;
    var equal = 0u;
#for t in 0..8
    {
      let v = max(four(row, quad + ${t}u), vec4i());
      let column = 4u * (quad + ${t}u) + vec4u(0u, 1u, 2u, 3u);
      larger |= bits_of(v > vec4i(kth)) << ${4 * t}u;
      equal |= bits_of((v == vec4i(kth)) & (column < vec4u(p.width))) << ${4 * t}u;
    }
#end
    var bits = larger | select(equal, 0u, ties == 0u);
    while (bits != 0u) {
      let bit = countTrailingZeros(bits);
      let column = 4u * quad + bit;
      let tie = extractBits(equal, bit, 1u);
      if (tie <= ties) {
        list_values[list + count] = max(four(row, column / 4u)[column % 4u], 0);
        list_indices[list + count] = p.first + column;
        count++;
        ties -= tie;
      }
      bits &= bits - 1u;
    }
  }
  for (; count < p.k; count++) {
    list_values[list + count] = 0;
    list_indices[list + count] = 0xffffffffu;
  }
  counts[row] = p.earlier + p.k;
}
