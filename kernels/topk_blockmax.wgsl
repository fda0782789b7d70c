// Largest value of each block of 64 columns: block_max[t, b] = max_{c < 64} pre[t, 64 b + c]
//
//   pre        [rows, 64 * blocks] f32, padding zero
//   block_max  [rows, blocks] f32
//
// First pass of the exact TopK (topk_select.wgsl). One invocation per block, straight-line.

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> pre: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> block_max: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let block = (group.y * ${GRID}u + group.x) * ${LANES}u + lane.x;
  if (block >= p.count) { return; }
  var m = pre[block * 16u];
#for i in 1..16
  m = max(m, pre[block * 16u + ${i}u]);
#end
  block_max[block] = max(max(m.x, m.y), max(m.z, m.w));
}
