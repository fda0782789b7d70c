// Elementwise operations in place: y = f(y, x)
//
//   OP "add"       y + x                   the residual connection
//      "multiply"  y * x                   the gate of a SwiGLU whose act_fn has been hooked
//      "silu"      y / (1 + exp(-y))       act_fn
//      "scale"     y * row                 one row vector for all: an SAE's latent scales
//      "threshold" y > max(0, row) ? y : 0 JumpReLU                               (Rajamanoharan 2024)
//
//   y, x  [rows * quads] vec4f; row [quads] vec4f
//
// SPAN vec4s per invocation, LANES apart.

struct Params { count: u32, quads: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
#if OP == "silu"
@group(0) @binding(1) var<uniform> p: Params;
#else
#if OP == "scale" || OP == "threshold"
@group(0) @binding(1) var<storage, read> row: array<vec4f>;
#else
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
#end
@group(0) @binding(2) var<uniform> p: Params;
#end

fn silu(v: vec4f) -> vec4f { return v / (1.0 + exp(-v)); }

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
#if OP == "add"
      y[at] = y[at] + x[at];
#elif OP == "multiply"
      y[at] = y[at] * x[at];
#elif OP == "silu"
      y[at] = silu(y[at]);
#elif OP == "scale"
      y[at] = y[at] * row[at % p.quads];
#elif OP == "threshold"
      y[at] = select(vec4f(), y[at], y[at] > max(row[at % p.quads], vec4f()));
#end
    }
  }
#end
}
