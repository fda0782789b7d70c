// A weight matrix whose weights change: rows as panels, ready to be copied into a texture.
//
//   w       [rows, quads] vec4f: the weights, padded rows
//   panels  [lines, line] vec4f, the layout of weights.wgsl for f32: texel k of row PANEL * panel + j lies
//           at column PANEL * (k % texels) + j of line panel * segments + k / texels
//
// One invocation per texel of the result; rows and texels past the end are zero. Lines may be longer
// than what they hold: copies into textures want multiples of 256 bytes.

struct Params { rows: u32, quads: u32, segments: u32, texels: u32, line: u32, count: u32 }

@group(0) @binding(0) var<storage, read> w: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> panels: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
      let line = at / p.line;
      let column = at % p.line;
      let row = line / p.segments * ${PANEL}u + column % ${PANEL}u;
      let texel = line % p.segments * p.texels + column / ${PANEL}u;
      let there = row < p.rows && texel < p.quads && column < p.texels * ${PANEL}u;
      panels[at] = select(vec4f(), w[row * p.quads + texel], there);
    }
  }
#end
}
