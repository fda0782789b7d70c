// Largest value of each block of BLOCK columns: maxima[t, b] = max_{c < BLOCK} pre[t, BLOCK b + c]
//
//   pre     see topk_texture_values.wgsl
//   maxima  texture, texel (b / 4, t), as integers; 0 past the last block, up to whole eights of texels
//
// First pass of the exact TopK (topk_texture_select.wgsl). One invocation per texel, straight-line; QUADS
// texels of ROWS rows per workgroup.

@group(0) @binding(1) var maxima: texture_storage_2d<rgba32uint, write>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(${QUADS}, ${ROWS})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let quad = group.x * ${QUADS}u + lane.x;
  let row = group.y * ${ROWS}u + lane.y;
  if (row >= p.rows) { return; }
#for b in 0..4
  var m${b} = four(row, quad * ${BLOCK}u + ${b * BLOCK / 4}u);
#for i in 1..BLOCK / 4
  m${b} = max(m${b}, four(row, quad * ${BLOCK}u + ${b * BLOCK / 4 + i}u));
#end
  let largest${b} = max(max(m${b}.x, m${b}.y), max(m${b}.z, m${b}.w));
#end
  let block = 4u * quad + vec4u(0u, 1u, 2u, 3u);
  let exists = ${BLOCK / 4}u * block < vec4u(p.row_quads);
  let largest = select(vec4i(), vec4i(largest0, largest1, largest2, largest3), exists);
  textureStore(maxima, vec2u(quad, row), bitcast<vec4u>(largest));
}
