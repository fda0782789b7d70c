// Adam (Kingma 2015; spec train-and-interpret A.4):
//
//   m = m + (1 - beta1) (g - m)
//   v = beta2 v + (1 - beta2) g²
//   w = w - step m / (root sqrt(v) + 1e-8)
//
//   w, m, v, g  [count] vec4f
//   step = rate / (1 - beta1^t), root = 1 / sqrt(1 - beta2^t)
//
// SPAN vec4s per invocation, LANES apart. Where g has always been 0, nothing moves.

struct Params { count: u32, new1: f32, beta2: f32, new2: f32, step: f32, root: f32 }

@group(0) @binding(0) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<storage, read> g: array<vec4f>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
      let mean = m[at] + p.new1 * (g[at] - m[at]);
      let square = p.beta2 * v[at] + p.new2 * (g[at] * g[at]);
      w[at] -= p.step * mean / (p.root * sqrt(square) + 1e-8);
      m[at] = mean;
      v[at] = square;
    }
  }
#end
}
