// Embedding gather: y[t, :] = E[ids[t], :]
//
//   E     one shard of the table, rows [first, first + count); tokens outside it are left alone
//   ids   [rows] u32
//   y     [rows, 4 * quads] f32, row stride 4 * quads
//
// One workgroup of LANES per token. The table is a texture or a buffer, after the kernel family; see
// weights.wgsl for what lies where.

struct Params { rows: u32, first: u32, count: u32, quads: u32, texels: u32, segments: u32, per_segment: u32 }

#if FAMILY == "texture"
@group(0) @binding(0) var E: texture_storage_2d<rgba32uint, read>;
#else
@group(0) @binding(0) var<storage, read> E: array<vec4u>;
#end
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

fn texel(k: u32, row: u32) -> vec4u {
#if FAMILY == "texture"
  let line = row / ${PANEL}u * p.segments + k / p.per_segment;
  return textureLoad(E, vec2u(k % p.per_segment * ${PANEL}u + row % ${PANEL}u, line));
#else
  return E[row * p.texels + k];
#end
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let token = group.y * ${GRID}u + group.x;
  if (token >= p.rows) { return; }
  let id = ids[token];
  if (id < p.first || id >= p.first + p.count) { return; }
  let row = id - p.first;
  for (var k = lane.x; k < p.texels; k += ${LANES}u) {
    let q = texel(k, row);
#if WEIGHTS == "f32"
    y[token * p.quads + k] = texel_low(q);
#else
    y[token * p.quads + 2u * k] = texel_low(q);
    y[token * p.quads + 2u * k + 1u] = texel_high(q);
#end
  }
}
