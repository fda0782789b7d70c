// The sum, and the largest, of the values that the LANES invocations of a workgroup have; the same in each
// of them. Added in lane order, so that a sum depends on nothing but the values.
//
// With SUBGROUP all of them lie in one subgroup. On a CPU the barriers of the other way turn the whole
// kernel into coroutines, whose variables live in memory.
//
// Joined in front of the kernels in which a workgroup works on a row.

#if SUBGROUP
fn row_sum(_lane: u32, mine: f32) -> f32 {
  var sum = 0.0;
#for i in 0..LANES
  sum += subgroupBroadcast(mine, ${i}u);
#end
  return sum;
}

fn row_max(_lane: u32, mine: f32) -> f32 {
  var largest = mine;
#for i in 0..LANES
  largest = max(largest, subgroupBroadcast(mine, ${i}u));
#end
  return largest;
}
#else
var<workgroup> partial: array<f32, ${LANES}>;

fn share(lane: u32, mine: f32) {
  workgroupBarrier();
  partial[lane] = mine;
  workgroupBarrier();
}

fn row_sum(lane: u32, mine: f32) -> f32 {
  share(lane, mine);
  var sum = 0.0;
#for i in 0..LANES
  sum += partial[${i}];
#end
  return sum;
}

fn row_max(lane: u32, mine: f32) -> f32 {
  share(lane, mine);
  var largest = mine;
#for i in 0..LANES
  largest = max(largest, partial[${i}]);
#end
  return largest;
}
#end
