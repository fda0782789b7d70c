// Last pass of the exact TopK: the k largest values of each list, larger first, of equal ones the first.
//
//   list          texture, texel (i / 4, t): values of list i of row t as integers in their order
//   list_indices  [rows, slots] u32       counts  [rows] u32: length of each list, at least k
//   values        [rows, k] f32          indices [rows, k] u32
//
// An element's place is the number of elements ahead of it. One workgroup of LANES per row; 8
// elements a round, so that 2560, the longest list, are ranked before 65,535 rounds.

struct Params { k: u32, slots: u32 }

@group(0) @binding(0) var list: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var<storage, read> list_indices: array<u32>;
@group(0) @binding(2) var<storage, read> counts: array<u32>;
@group(0) @binding(3) var<storage, read_write> values: array<i32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let row = group.x;
  let count = counts[row];
  for (var i = lane.x; i < count; i += ${LANES}u) {
    let value = bitcast<vec4i>(textureLoad(list, vec2u(i / 4u, row)))[i % 4u];
    var n = vec4u();
    for (var quad = 0u; 4u * quad < count; quad += 2u) {
#for t in 0..2
      {
        let other = bitcast<vec4i>(textureLoad(list, vec2u(quad + ${t}u, row)));
        let j = 4u * (quad + ${t}u) + vec4u(0u, 1u, 2u, 3u);
        let ahead = (other > vec4i(value)) | ((other == vec4i(value)) & (j < vec4u(i)));
        n += select(vec4u(), vec4u(1u), ahead & (j < vec4u(count)));
      }
#end
    }
    let place = (n.x + n.y) + (n.z + n.w);
    if (place < p.k) {
      values[row * p.k + place] = value;
      indices[row * p.k + place] = list_indices[row * p.slots + i];
    }
  }
}
