// What Newton-Schulz iterations need beside products (Jordan 2024; spec train-and-interpret A.4):
//
//   OP "norm"        norm[0] = sqrt(sum of squares) + 1e-7
//      "divide"      x = x / norm[0]
//      "polynomial"  s = c0 I + c1 a + c2 aa, all of them square
//
//   squares     [count] vec4f: one row
//   norm        one row of vec4f
//   x           [count] vec4f
//   a, aa, s    [count] vec4f, rows of `quads`
//
// "norm" is one invocation; the others SPAN vec4s each, LANES apart.

#if OP == "polynomial"
struct Params { count: u32, quads: u32, c0: f32, c1: f32, c2: f32 }
#else
struct Params { count: u32 }
#end

#if OP == "norm"
@group(0) @binding(0) var<storage, read> squares: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> norm: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;
#elif OP == "divide"
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> norm: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;
#else
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> aa: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> s: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;
#end

#if OP == "norm"
@compute @workgroup_size(1)
fn main() {
  var sum = vec4f();
  for (var i = 0u; i < p.count; i++) { sum += squares[i]; }
  norm[0] = vec4f(sqrt(sum.x + sum.y + sum.z + sum.w) + 1e-7, 0.0, 0.0, 0.0);
}
#else
@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let first = (group.y * ${GRID}u + group.x) * ${LANES * SPAN}u + lane.x;
#for i in 0..SPAN
  {
    let at = first + ${i * LANES}u;
    if (at < p.count) {
#if OP == "divide"
      x[at] = x[at] / norm[0].x;
#else
      let column = 4u * (at % p.quads);
      let diagonal = vec4u(column) + vec4u(0u, 1u, 2u, 3u) == vec4u(at / p.quads);
      s[at] = select(vec4f(), vec4f(p.c0), diagonal) + p.c1 * a[at] + p.c2 * aa[at];
#end
    }
  }
#end
}
#end
