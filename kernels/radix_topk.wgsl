// The k largest values of each row for any k, in the order of their indices; ties by lower index.
//
//   pre      [rows, quads] vec4f, not negative (-0 counts as 0); columns from `width` on are left out
//   values   [rows, k] f32      indices  [rows, k] u32
//
// For k that the TopK of encoders (lib/gpu/topk.ts) has no memory for, and for k that changes from step to step. Bits of
// floats >= 0 order as integers do, so four histograms of eight bits each, from the highest on, find the
// k-th largest value; then every lane writes what is above it, and as many of those equal to it as are
// still wanted, of one stretch of the row. One workgroup of LANES per row.

struct Params { rows: u32, quads: u32, width: u32, k: u32 }

@group(0) @binding(0) var<storage, read> pre: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> tally: array<atomic<u32>, 256>;
// The known upper bits of the k-th largest value, and how many of those that share them are wanted.
var<workgroup> known: u32;
var<workgroup> wanted: u32;
var<workgroup> above: array<u32, ${LANES}>;
var<workgroup> equal: array<u32, ${LANES}>;

fn key(v: f32) -> u32 { return bitcast<u32>(max(bitcast<i32>(v), 0)); }

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let row = group.y * ${GRID}u + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.quads;
  if (lane == 0u) {
    known = 0u;
    wanted = p.k;
  }
#for d in 0..4
  {
    // Bits above the digit; shifts by 32 do not exist, so the first digit compares nothing.
#if d > 0
    let upper = ~((1u << ${32 - 8 * d}u) - 1u);
#else
    let upper = 0u;
#end
    for (var i = lane; i < 256u; i += ${LANES}u) { atomicStore(&tally[i], 0u); }
    workgroupBarrier();
    let prefix = known;
    for (var i = lane; i < p.quads; i += ${LANES}u) {
      let v = pre[start + i];
#for c in 0..4
      {
        let bits = key(v[${c}]);
        if (4u * i + ${c}u < p.width && (bits & upper) == prefix) {
          atomicAdd(&tally[(bits >> ${24 - 8 * d}u) & 255u], 1u);
        }
      }
#end
    }
    workgroupBarrier();
    if (lane == 0u) {
      var digit = 255u;
      var left = wanted;
      for (; digit > 0u && atomicLoad(&tally[digit]) < left; digit--) {
        left -= atomicLoad(&tally[digit]);
      }
      known = prefix | (digit << ${24 - 8 * d}u);
      wanted = left;
    }
    workgroupBarrier();
  }
#end

  let kth = known;
  let stretch = (p.quads + ${LANES - 1}u) / ${LANES}u;
  let begin = min(lane * stretch, p.quads);
  let to = min(begin + stretch, p.quads);
  var greater = 0u;
  var same = 0u;
  for (var i = begin; i < to; i++) {
    let v = pre[start + i];
#for c in 0..4
    if (4u * i + ${c}u < p.width) {
      greater += select(0u, 1u, key(v[${c}]) > kth);
      same += select(0u, 1u, key(v[${c}]) == kth);
    }
#end
  }
  above[lane] = greater;
  equal[lane] = same;
  workgroupBarrier();
  var slot = 0u;
  var before = 0u;
  for (var i = 0u; i < lane; i++) {
    slot += above[i];
    before += equal[i];
  }
  slot += min(before, wanted);
  for (var i = begin; i < to; i++) {
    let v = pre[start + i];
#for c in 0..4
    {
      let bits = key(v[${c}]);
      let tie = bits == kth && before < wanted;
      if (4u * i + ${c}u < p.width) {
        if (bits > kth || tie) {
          values[row * p.k + slot] = bitcast<f32>(bits);
          indices[row * p.k + slot] = 4u * i + ${c}u;
          slot++;
        }
        before += select(0u, 1u, bits == kth);
      }
    }
#end
  }
}
