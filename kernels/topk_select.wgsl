// Exact TopK of each row: the K largest values and their indices, larger first, ties by lower index.
//
//   pre        [rows, 64 * blocks] f32, not negative, padding zero
//   block_max  [rows, blocks] f32, from topk_blockmax.wgsl
//   values     [rows, K] f32          indices  [rows, K] u32, counted from `first`
//   overflow   [rows] u32: 1 where the short list was too short; topk_exact.wgsl then does that row
//
// When K block maxima are >= tau, K distinct blocks hold an element >= tau, so the K-th largest element
// is >= tau too. Bisect the largest such tau over the upper bits of the maxima (a tau that is a little
// too small costs a few more candidates), list the blocks that have an element >= tau, collect those
// elements, all lanes on one block, and rank that short list. Values that are not positive fill up at
// the lowest indices, as a stable sort would.
// Bits of non-negative floats order as integers do; as *signed* integers, -0 counts as not positive.
//
// One workgroup of LANES per row; CAPACITY elements fit the short list.

struct Params { rows: u32, width: u32, blocks: u32, first: u32 }

@group(0) @binding(0) var<storage, read> pre: array<vec4i>;
@group(0) @binding(1) var<storage, read> block_max: array<i32>;
@group(0) @binding(2) var<storage, read_write> values: array<i32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> overflow: array<u32>;
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> maxima: array<i32, ${BLOCKS}>;
var<workgroup> tally: array<atomic<u32>, 15>;
var<workgroup> hits: atomic<u32>;
var<workgroup> hit: array<u32, ${BLOCKS}>;
var<workgroup> found: atomic<u32>;
var<workgroup> list_value: array<i32, ${CAPACITY}>;
var<workgroup> list_index: array<u32, ${CAPACITY}>;

fn collect(value: i32, index: u32, floor: i32) {
  if (value < floor) { return; }
  let slot = atomicAdd(&found, 1u);
  if (slot < ${CAPACITY}u) {
    list_value[slot] = value;
    list_index[slot] = index;
  }
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  for (var b = lane; b < p.blocks; b += ${LANES}u) { maxima[b] = block_max[row * p.blocks + b]; }
  workgroupBarrier();

  var tau = 0;
  for (var i = 0u; i < 15u; i++) {
    let trial = tau | (1 << (30u - i));
    var mine = 0u;
    for (var b = lane; b < p.blocks; b += ${LANES}u) { mine += select(0u, 1u, maxima[b] >= trial); }
    atomicAdd(&tally[i], mine);
    workgroupBarrier();
    tau = select(tau, trial, atomicLoad(&tally[i]) >= ${K}u);
  }

  let floor = max(tau, 1);
  for (var b = lane; b < p.blocks; b += ${LANES}u) {
    if (maxima[b] >= floor) { hit[atomicAdd(&hits, 1u)] = b; }
  }
  workgroupBarrier();
  let quads = atomicLoad(&hits) * 16u;
  for (var i = lane; i < quads; i += ${LANES}u) {
    let quad = hit[i / 16u] * 16u + i % 16u;
    let v = pre[row * p.blocks * 16u + quad];
    if (any(v >= vec4i(floor))) {
      collect(v.x, 4u * quad, floor);
      collect(v.y, 4u * quad + 1u, floor);
      collect(v.z, 4u * quad + 2u, floor);
      collect(v.w, 4u * quad + 3u, floor);
    }
  }
  workgroupBarrier();

  let count = atomicLoad(&found);
  if (lane == 0u) { overflow[row] = select(0u, 1u, count > ${CAPACITY}u); }
  if (count > ${CAPACITY}u) { return; }
  for (var i = lane; i < count; i += ${LANES}u) {
    let value = list_value[i];
    let index = list_index[i];
    var rank = 0u;
    for (var j = 0u; j < count; j++) {
      let ahead = list_value[j] > value || (list_value[j] == value && list_index[j] < index);
      rank += select(0u, 1u, ahead);
    }
    if (rank < ${K}u) {
      values[row * ${K}u + rank] = value;
      indices[row * ${K}u + rank] = p.first + index;
    }
  }
  if (lane == 0u && count < ${K}u) {
    var slot = count;
    for (var i = 0u; i < p.width && slot < ${K}u; i++) {
      if (pre[row * p.blocks * 16u + i / 4u][i % 4u] <= 0) {
        values[row * ${K}u + slot] = 0;
        indices[row * ${K}u + slot] = p.first + i;
        slot++;
      }
    }
    for (; slot < ${K}u; slot++) {
      values[row * ${K}u + slot] = 0;
      indices[row * ${K}u + slot] = 0xffffffffu;
    }
  }
}
