// What a batch's losses are divided by, and the losses (spec train-and-interpret A.1, steps 4 to 7).
//
//   STEP "scales"  from the total variation of the targets, before the batch:
//     factors = [TV, 2 s / TV, 2 s alpha scale / TV, 2 s / (8 TV), scale],  scale = min(dead / half, 1)
//     entries 1 to 3 turn the residuals of the output, of AuxK and of Multi-TopK into gradients of the
//     loss  FVU + alpha auxk + multi / 8,  all times s. Targets that do not vary have nothing to teach.
//   STEP "losses"  from the squared residuals, after the batch:
//     losses = [FVU, auxk, multi, dead]
//
//   totals   [1 or 3, quads] vec4f: squares by column: of the targets' deviations, or of the residuals
//   dead     [1] u32: dead latents
//   factors  [5] f32
//   losses   [4] f32
//
// One workgroup, a single invocation: a few hundred additions, in order.

struct Params { quads: u32, step_scale: f32, alpha: f32, half: f32 }

@group(0) @binding(0) var<storage, read> totals: array<vec4f>;
@group(0) @binding(1) var<storage, read> dead: array<u32>;
#if STEP == "scales"
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;
#else
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;
#end

fn total(row: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < p.quads; i++) { sum += dot(totals[row * p.quads + i], vec4f(1.0)); }
  return sum;
}

@compute @workgroup_size(1)
fn main() {
#if STEP == "scales"
  let variation = total(0u);
  let scale = min(f32(dead[0]) / max(p.half, 1.0), 1.0);
  let gradient = select(0.0, 2.0 * p.step_scale / variation, variation > 0.0);
  factors[0] = variation;
  factors[1] = gradient;
  factors[2] = gradient * p.alpha * scale;
  factors[3] = gradient / 8.0;
  factors[4] = scale;
#else
  losses[0] = total(0u) / factors[0];
  losses[1] = factors[4] * total(1u) / factors[0];
  losses[2] = total(2u) / factors[0];
  losses[3] = f32(dead[0]);
#end
}
