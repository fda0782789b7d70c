// The largest activation of each group of consecutive latents: what `groupmax` keeps of a token. Latents
// come in ranges: a group that began in an earlier one goes on from what that found.
//
//   pre      [rows, stride] f32, not negative: latents `first` to `first + width`
//   values   [rows, groups] f32      indices  [rows, groups] u32: of the latent; ties to the lowest
//
// One workgroup of LANES per token and group of the range: groups `start` to `start + count`.

struct Params {
  rows: u32, stride: u32, groups: u32, size: u32, first: u32, width: u32, start: u32, count: u32,
}

@group(0) @binding(0) var<storage, read> pre: array<f32>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> most: array<f32, ${LANES}>;
var<workgroup> place: array<u32, ${LANES}>;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = id.x;
  let item = group.y * ${GRID}u + group.x;
  if (item >= p.rows * p.count) { return; }
  let token = item / p.count;
  let own = p.start + item % p.count;
  let slot = token * p.groups + own;
  let begin = max(own * p.size, p.first);
  let end = min((own + 1u) * p.size, p.first + p.width);
  var best = -1.0;
  var at = 0u;
  if (lane == 0u && own * p.size < p.first) {
    best = values[slot];
    at = indices[slot];
  }
  for (var i = begin + lane; i < end; i += ${LANES}u) {
    let v = pre[token * p.stride + i - p.first];
    if (v > best) {
      best = v;
      at = i;
    }
  }
  most[lane] = best;
  place[lane] = at;
  workgroupBarrier();
  if (lane > 0u) { return; }
  for (var i = 1u; i < ${LANES}u; i++) {
    if (most[i] > best || (most[i] == best && place[i] < at)) {
      best = most[i];
      at = place[i];
    }
  }
  values[slot] = best;
  indices[slot] = at;
}
