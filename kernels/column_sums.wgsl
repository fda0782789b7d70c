// Sums down the columns of a matrix, by blocks of ROWS rows:
//
//   sums[b, c]    = sum over rows t of block b of weight[t] x[t, c]
//   squares[b, c] = sum over rows t of block b of (x[t, c] - centre[c])²
//
//   SUMS, SQUARES      which of the two are computed
//   WEIGHTED, CENTRED  without them weight = 1 and centre = 0
//
//   x              [rows, quads] vec4f
//   weight         [rows] f32
//   centre         [quads] vec4f, zero in the padding
//   sums, squares  [blocks, quads] vec4f, from block `first_block` on
//
// One invocation per block and vec4 of columns, rows in order: sum_partials.wgsl adds the blocks up, so
// the result depends on nothing but the rows.

struct Params { rows: u32, quads: u32, column_groups: u32, first_block: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
#if SUMS
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;
#end
#if SQUARES
@group(0) @binding(${1 + SUMS}) var<storage, read_write> squares: array<vec4f>;
#end
#if WEIGHTED
@group(0) @binding(${1 + SUMS + SQUARES}) var<storage, read> weight: array<f32>;
#end
#if CENTRED
@group(0) @binding(${1 + SUMS + SQUARES + WEIGHTED}) var<storage, read> centre: array<vec4f>;
#end
@group(0) @binding(${1 + SUMS + SQUARES + WEIGHTED + CENTRED}) var<uniform> p: Params;

@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  let item = group.y * ${GRID}u + group.x;
  let column = (item % p.column_groups) * ${LANES}u + lane.x;
  let block = item / p.column_groups;
  let first = block * ${ROWS}u;
  if (column >= p.quads || first >= p.rows) { return; }
#if CENTRED
  let middle = centre[column];
#end
  var sum = vec4f();
  var square = vec4f();
  for (var t = first; t < min(first + ${ROWS}u, p.rows); t++) {
    let v = x[t * p.quads + column];
#if SUMS && WEIGHTED
    sum = fma(vec4f(weight[t]), v, sum);
#elif SUMS
    sum += v;
#end
#if SQUARES && CENTRED
    let d = v - middle;
    square = fma(d, d, square);
#elif SQUARES
    square = fma(v, v, square);
#end
  }
  let at = (p.first_block + block) * p.quads + column;
#if SUMS
  sums[at] = sum;
#end
#if SQUARES
  squares[at] = square;
#end
}
