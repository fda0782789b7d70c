// Exact, order-free accumulation, joined in front of the counting kernels.
//
// A unit (SAE latent or neuron) has six u32 words:
//   0 tokens on which it fired     1 examples in which it fired
//   2, 3 sum of its activations: 64-bit two's complement, low word first, in units of 2^-24
//   4 largest activation: bits of a float >= 0      5 complement of the ordered bits of the smallest
// All six are sums or maxima of integers and start at zero, so the result is the same whatever the
// order of tokens, the batch or the device. Exact for |sum| < 2^39; one activation is rounded to the
// nearest 2^-24, which is finer than its own f32 rounding from 1 upwards.
//
// With GROUPED the tokens of word 0 are counted by group of documents as well, into group_fired
// [groups, units]; each token says its group in document_group.

const WORDS = 6u;

// In place of a token's text: the token is left out of everything.
const NOT_COUNTED = 0xffffffffu;

// The activation in units of 2^-24 as a 64-bit two's complement integer (low, high).
fn fixed_point(v: f32) -> vec2u {
  let bits = bitcast<u32>(abs(v));
  let exponent = bits >> 23u;
  let mantissa = (bits & 0x7fffffu) | select(0u, 0x800000u, exponent > 0u);
  var low = 0u;
  var high = 0u;
  if (exponent >= 126u) {
    let shift = min(exponent - 126u, 39u);
    if (shift >= 32u) {
      high = mantissa << (shift - 32u);
    } else if (shift > 0u) {
      low = mantissa << shift;
      high = mantissa >> (32u - shift);
    } else {
      low = mantissa;
    }
  } else if (exponent >= 101u) {
    let shift = 126u - exponent;
    low = (mantissa + (1u << (shift - 1u))) >> shift;
  }
  if (v < 0.0) {
    high = ~high + select(0u, 1u, low == 0u);
    low = ~low + 1u;
  }
  return vec2u(low, high);
}

// Bits that order as the floats do, negative ones included.
fn ordered(v: f32) -> u32 {
  let bits = bitcast<u32>(v);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}
