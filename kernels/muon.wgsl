// The elementwise parts of Muon (Jordan 2024; spec train-and-interpret A.4); newton_schulz.wgsl lies
// between them.
//
//   OP "momentum"  m = m + (1 - mu) (g - m)
//                  g = m + (1 - mu) (g - m)     Nesterov: a step ahead
//      "update"    w = keep w - step x
//
//   m, g, w, x  [count] vec4f
//   keep = 1 - rate · weight decay
//
// SPAN vec4s per invocation, LANES apart.

#if OP == "momentum"
struct Params { count: u32, fresh: f32 }

@group(0) @binding(0) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> g: array<vec4f>;
#else
struct Params { count: u32, keep: f32, step: f32 }

@group(0) @binding(0) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
#end
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
#if OP == "momentum"
      let mean = m[at] + p.fresh * (g[at] - m[at]);
      g[at] = mean + p.fresh * (g[at] - mean);
      m[at] = mean;
#else
      w[at] = p.keep * w[at] - p.step * x[at];
#end
    }
  }
#end
}
