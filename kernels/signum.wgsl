// Schedule-free Signum: steps by the sign of the gradient, and an average of where they led
// (Bernstein 2018; Defazio 2024; spec train-and-interpret A.4).
//
//   OP "step"     x = y + (1 - 1/beta) (z - y)    the average, out of what is trained
//                 z = z - rate sign(g)
//                 x = x + c (z - x)
//                 y = x + (1 - beta) (z - x)
//      "average"  x = y + (1 - 1/beta) (z - y)
//
//   y, z, g, x  [count] vec4f
//   rate, c, to_average = 1 - 1/beta, to_live = 1 - beta
//
// SPAN vec4s per invocation, LANES apart.

#if OP == "step"
struct Params { count: u32, to_average: f32, to_live: f32, rate: f32, c: f32 }

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> z: array<vec4f>;
@group(0) @binding(2) var<storage, read> g: array<vec4f>;
#else
struct Params { count: u32, to_average: f32 }

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> z: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> x: array<vec4f>;
#end
@group(0) @binding(3) var<uniform> p: Params;

// a + weight (b - a), and exactly b where the weight is 1, as c is at first.
fn lerp(a: vec4f, b: vec4f, weight: f32) -> vec4f {
  return select(b - (b - a) * (1.0 - weight), a + weight * (b - a), weight < 0.5);
}

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
      let average = lerp(y[at], z[at], p.to_average);
#if OP == "step"
      let stepped = z[at] - p.rate * sign(g[at]);
      y[at] = lerp(lerp(average, stepped, p.c), stepped, p.to_live);
      z[at] = stepped;
#else
      x[at] = average;
#end
    }
  }
#end
}
