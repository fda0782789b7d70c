// Exact TopK of the rows that topk_select.wgsl gave up on (very many equal or nearly equal values).
//
//   pre      [rows, 64 * blocks] f32, not negative, padding zero
//   values   [rows, K] f32       indices  [rows, K] u32, counted from `first`
//   pending  [rows] u32: rows with 1 are done, the others left alone
//
// Bisects the K-th largest value over all bits, then the index below which as many values equal to it
// lie as are still needed; exactly K elements remain to be ranked. One workgroup of LANES per row. A row
// overflows only when more than CAPACITY >= K values are positive, so the K-th largest is positive.

struct Params { rows: u32, blocks: u32, first: u32 }

@group(0) @binding(0) var<storage, read> pre: array<vec4i>;
@group(0) @binding(1) var<storage, read_write> values: array<i32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<storage, read> pending: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> tally: array<atomic<u32>, 64>;
var<workgroup> is_pending: u32;
var<workgroup> found: atomic<u32>;
var<workgroup> list_value: array<i32, ${K}>;
var<workgroup> list_index: array<u32, ${K}>;

// Elements of this lane's blocks that are > value, or equal to it with an index < bound.
fn count_ahead(row: u32, lane: u32, value: i32, bound: u32) -> u32 {
  var n = 0u;
  for (var b = lane; b < p.blocks; b += ${LANES}u) {
#for c in 0..16
    {
      let v = pre[(row * p.blocks + b) * 16u + ${c}u];
      let index = b * 64u + ${4 * c}u + vec4u(0u, 1u, 2u, 3u);
      let ahead = (v > vec4i(value)) | ((v == vec4i(value)) & (index < vec4u(bound)));
      let ones = select(vec4u(), vec4u(1u), ahead);
      n += ones.x + ones.y + ones.z + ones.w;
    }
#end
  }
  return n;
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  if (lane == 0u) { is_pending = pending[row]; }
  if (workgroupUniformLoad(&is_pending) == 0u) { return; }

  var kth = 0;
  for (var i = 0u; i < 31u; i++) {
    let trial = kth | (1 << (30u - i));
    atomicAdd(&tally[i], count_ahead(row, lane, trial - 1, 0u));
    workgroupBarrier();
    kth = select(kth, trial, atomicLoad(&tally[i]) >= ${K}u);
  }
  var bound = 0u;
  for (var i = 31u; i < 63u; i++) {
    let trial = bound | (1u << (62u - i));
    atomicAdd(&tally[i], count_ahead(row, lane, kth, trial));
    workgroupBarrier();
    bound = select(bound, trial, atomicLoad(&tally[i]) <= ${K}u);
  }

  for (var b = lane; b < p.blocks; b += ${LANES}u) {
    for (var c = 0u; c < 64u; c++) {
      let value = pre[(row * p.blocks + b) * 16u + c / 4u][c % 4u];
      let index = b * 64u + c;
      if (value > kth || (value == kth && index < bound)) {
        let slot = atomicAdd(&found, 1u);
        list_value[slot] = value;
        list_index[slot] = index;
      }
    }
  }
  workgroupBarrier();
  for (var i = lane; i < ${K}u; i += ${LANES}u) {
    var rank = 0u;
    for (var j = 0u; j < ${K}u; j++) {
      let ahead = list_value[j] > list_value[i] ||
        (list_value[j] == list_value[i] && list_index[j] < list_index[i]);
      rank += select(0u, 1u, ahead);
    }
    values[row * ${K}u + rank] = list_value[i];
    indices[row * ${K}u + rank] = p.first + list_index[i];
  }
}
