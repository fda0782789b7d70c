// Elementwise operations in place: y = f(y, x)
//
//   OP "add"       y + x                   the residual connection
//      "multiply"  y * x                   the gate of a SwiGLU whose act_fn has been hooked
//      "silu"      y / (1 + exp(-y))       act_fn
//      "swiglu"    silu(y) * x             both at once                              (Shazeer 2020)
//      "center"    y = x - row             x minus one row vector: the SAE's input minus b_dec
//
//   y, x  [rows * quads] vec4f; row [quads] vec4f
//
// SPAN vec4s per invocation, LANES apart.

struct Params { count: u32, quads: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
#if OP != "silu"
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
#end
#if OP == "center"
@group(0) @binding(2) var<storage, read> row: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;
#elif OP == "silu"
@group(0) @binding(1) var<uniform> p: Params;
#else
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
#elif OP == "swiglu"
      y[at] = silu(y[at]) * x[at];
#elif OP == "center"
      y[at] = x[at] - row[at % p.quads];
#end
    }
  }
#end
}
