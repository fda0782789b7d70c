// Merges the TopK of two shards: (values, indices) becomes the TopK of itself and (more_values, more_indices).
//
//   values, more_values    [rows, K] f32, descending, not negative
//   indices, more_indices  [rows, K] u32; all of `more` lie above all of `indices` (a later shard), so
//                          on equal values the earlier list goes first
//
// An element's place is its place in its own list plus the number of elements of the other list that
// go before it. One workgroup of LANES per row; both lists are copied out before either is overwritten.

struct Params { rows: u32 }

@group(0) @binding(0) var<storage, read_write> values: array<i32>;
@group(0) @binding(1) var<storage, read_write> indices: array<u32>;
@group(0) @binding(2) var<storage, read> more_values: array<i32>;
@group(0) @binding(3) var<storage, read> more_indices: array<u32>;
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> value: array<i32, ${2 * K}>;
var<workgroup> index: array<u32, ${2 * K}>;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  for (var i = id.x; i < ${K}u; i += ${LANES}u) {
    value[i] = values[row * ${K}u + i];
    index[i] = indices[row * ${K}u + i];
    value[${K}u + i] = more_values[row * ${K}u + i];
    index[${K}u + i] = more_indices[row * ${K}u + i];
  }
  workgroupBarrier();
  for (var i = id.x; i < ${2 * K}u; i += ${LANES}u) {
    let later = i >= ${K}u;
    let other = select(${K}u, 0u, later);
    var place = select(i, i - ${K}u, later);
    for (var j = 0u; j < ${K}u; j++) {
      let v = value[other + j];
      place += select(0u, 1u, v > value[i] || (later && v == value[i]));
    }
    if (place < ${K}u) {
      values[row * ${K}u + place] = value[i];
      indices[row * ${K}u + place] = index[i];
    }
  }
}
