// The fastest copy that an adapter's kernels do: copied[i] = source[i].
//
//   source    [quads] vec4f
//   copied    [quads] vec4f
//
// One invocation per 16 bytes, neighbours side by side, no loop.

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
  let i = (group.y * ${GRID}u + group.x) * ${LANES}u + lane;
  if (i < p.quads) { copied[i] = source[i]; }
}
