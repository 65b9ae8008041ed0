// What <cuda_fp16.h> and <cuda_bf16.h> have in common, checked for one format: arithmetic,
// comparisons, rounding to integers, elementary functions, pairs, shuffles and atomics.
#pragma once

#include "half_check.cuh"

template <class F>
struct HalfMath {
  using One = typename F::One;
  using Two = typename F::Two;
  using Ref = Reference<F>;

  static __device__ One one(u16 code) { return bits_as<One>(code); }
  static __device__ Two two(u32 code) { return bits_as<Two>(code); }
  static __device__ u16 code(One v) { return bits_as<u16>(v); }
  static __device__ u32 codes(Two v) { return bits_as<u32>(v); }
  static double value(u16 c) { return Ref::value(c); }

  /// `want` of both halves.
  template <class Want>
  static auto twice(Want want) {
    return [want](auto... c) { return u32(want(u16(c)...)) | u32(want(u16(c >> 16)...)) << 16; };
  }

#define SINGLE(Name, call) DEVICE(Name, u16, (u16 x), code(call(one(x))))
#define UNARY(Name, call) \
  SINGLE(Name, call)      \
  DEVICE(Name##2, u32, (u32 x), codes(call##2(two(x))))
#define BINARY(Name, call, call2)                               \
  DEVICE(Name, u16, (u16 x, u16 y), code(call(one(x), one(y)))) \
  DEVICE(Name##2, u32, (u32 x, u32 y), codes(call2(two(x), two(y))))
#define TERNARY(Name, call, call2)                                             \
  DEVICE(Name, u16, (u16 x, u16 y, u16 z), code(call(one(x), one(y), one(z)))) \
  DEVICE(Name##2, u32, (u32 x, u32 y, u32 z), codes(call2(two(x), two(y), two(z))))
#define RELATION(Name, call)                                                  \
  DEVICE(Name, u16, (u16 x, u16 y), u16(call(one(x), one(y))))                \
  DEVICE(Name##Both, u16, (u32 x, u32 y), u16(__hb##Name##2(two(x), two(y)))) \
  DEVICE(Name##Number, u32, (u32 x, u32 y), codes(call##2(two(x), two(y))))   \
  DEVICE(Name##Mask, u32, (u32 x, u32 y), u32(call##2_mask(two(x), two(y))))

  UNARY(Negate, __hneg)
  UNARY(Absolute, __habs)
  BINARY(Add, __hadd, __hadd2)
  BINARY(Subtract, __hsub, __hsub2)
  BINARY(Multiply, __hmul, __hmul2)
  BINARY(AddRounded, __hadd_rn, __hadd2_rn)
  BINARY(SubtractRounded, __hsub_rn, __hsub2_rn)
  BINARY(MultiplyRounded, __hmul_rn, __hmul2_rn)
  BINARY(AddSaturated, __hadd_sat, __hadd2_sat)
  BINARY(SubtractSaturated, __hsub_sat, __hsub2_sat)
  BINARY(MultiplySaturated, __hmul_sat, __hmul2_sat)
  BINARY(Divide, __hdiv, __h2div)
  BINARY(Minimum, __hmin, __hmin2)
  BINARY(Maximum, __hmax, __hmax2)
  BINARY(MinimumNan, __hmin_nan, __hmin2_nan)
  BINARY(MaximumNan, __hmax_nan, __hmax2_nan)
  TERNARY(Fma, __hfma, __hfma2)
  TERNARY(FmaSaturated, __hfma_sat, __hfma2_sat)
  TERNARY(FmaRelu, __hfma_relu, __hfma2_relu)
  RELATION(eq, __heq)
  RELATION(ne, __hne)
  RELATION(lt, __hlt)
  RELATION(le, __hle)
  RELATION(gt, __hgt)
  RELATION(ge, __hge)
  RELATION(equ, __hequ)
  RELATION(neu, __hneu)
  RELATION(ltu, __hltu)
  RELATION(leu, __hleu)
  RELATION(gtu, __hgtu)
  RELATION(geu, __hgeu)
  DEVICE(IsNan, u16, (u16 x), u16(__hisnan(one(x))))
  DEVICE(IsNan2, u32, (u32 x), codes(__hisnan2(two(x))))
  DEVICE(IsInfinite, u16, (u16 x), u16(__hisinf(one(x))))
  SINGLE(Truncate, htrunc)
  SINGLE(Ceiling, hceil)
  SINGLE(Floor, hfloor)
  SINGLE(RoundToInteger, hrint)
  SINGLE(SquareRoot, hsqrt)
  SINGLE(ReciprocalRoot, hrsqrt)
  SINGLE(Reciprocal, hrcp)
  SINGLE(Exponential, hexp)
  SINGLE(Exponential2, hexp2)
  SINGLE(Exponential10, hexp10)
  SINGLE(Logarithm, hlog)
  SINGLE(Logarithm2, hlog2)
  SINGLE(Logarithm10, hlog10)
  SINGLE(Sine, hsin)
  SINGLE(Cosine, hcos)
  SINGLE(Tanh, htanh)
  SINGLE(TanhApprox, htanh_approx)
  DEVICE(ComplexFma, u32, (u32 x, u32 y, u32 z), codes(__hcmadd(two(x), two(y), two(z))))
  DEVICE(SwapHalves, u32, (u32 x), codes(__lowhigh2highlow(two(x))))
  DEVICE(Operators, u16, (u16 x, u16 y), [](One a, One b) {
    a -= b;
    a += b;
    a *= b;  // last: a product that is added to may be fused
    return code(a > b ? -a : a);
  }(one(x), one(y)))

  static u16 saturated(u16 c) {
    const double v = value(c);
    return v > 0 ? (v < 1 ? c : Ref::kOne) : 0;
  }
  static u16 relu(u16 c) {
    return c == kNan || c < 0x8000 ? c : 0;
  }
  static u16 fma(u16 x, u16 y, u16 z) {
    return Ref::sum(value(x) * value(y), value(z));
  }

  template <class Operation, class Want>
  static void unary(Want want) {
    check<Operation>(want, all_codes());
  }
  template <class Single, class Both, class Want>
  static void binary(Want want) {
    std::vector<u16> x = random_bits<u16>(1 << 17, 1), y = random_bits<u16>(1 << 17, 2);
    for (u16 a : Ref::edges()) {
      for (u16 b : Ref::edges()) x.push_back(a), y.push_back(b);
    }
    check<Single>(want, x, y);
    check<Both>(twice(want), random_bits<u32>(1 << 16, 3), random_bits<u32>(1 << 16, 4));
  }
  template <class Single, class Both, class Want>
  static void ternary(Want want) {
    std::vector<u16> x = random_bits<u16>(1 << 18, 5), y = random_bits<u16>(1 << 18, 6),
                     z = random_bits<u16>(1 << 18, 7);
    // Addends near the product, so that digits cancel, and far below it, where they break ties.
    for (size_t i = 0; i < x.size(); ++i) {
      if (i % 4 == 1) z[i] = Ref::round(-value(x[i]) * value(y[i])) ^ (z[i] & 3);
      if (i % 4 == 2) {
        x[i] = Ref::kOne + (x[i] & 0xFF);
        y[i] = Ref::kOne + (y[i] & 0xFF);
        z[i] &= 0x83FF;
      }
    }
    for (u16 a : Ref::edges()) {
      for (u16 b : Ref::edges()) {
        for (u16 c : Ref::edges()) x.push_back(a), y.push_back(b), z.push_back(c);
      }
    }
    check<Single>(want, x, y, z);
    check<Both>(twice(want), random_bits<u32>(1 << 16, 8), random_bits<u32>(1 << 16, 9),
                random_bits<u32>(1 << 16, 10));
  }

  template <class Single, class Both, class Number, class Mask, class Want>
  static void relation(Want relation_of) {
    const auto want = [=](u16 x, u16 y) -> u16 { return relation_of(value(x), value(y)); };
    std::vector<u16> x = random_bits<u16>(1 << 14, 11), y = random_bits<u16>(1 << 14, 12);
    for (u16 a : Ref::edges()) {
      for (u16 b : Ref::edges()) x.push_back(a), y.push_back(b);
    }
    check<Single>(want, x, y);
    std::vector<u32> pairs_x(x.size()), pairs_y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t k = x.size() - 1 - i;
      pairs_x[i] = x[i] | u32(x[k]) << 16, pairs_y[i] = y[i] | u32(y[k]) << 16;
    }
    check<Both>([=](u32 a, u32 b) { return u16(want(u16(a), u16(b)) & want(a >> 16, b >> 16)); },
                pairs_x, pairs_y);
    check<Number>(twice([=](u16 a, u16 b) { return want(a, b) * Ref::kOne; }), pairs_x, pairs_y);
    check<Mask>(twice([=](u16 a, u16 b) { return want(a, b) * 0xFFFF; }), pairs_x, pairs_y);
  }

  /// At most `steps` numbers of the format away from the right one, for every input.
  template <class Operation>
  static void close(double exact(double), int steps) {
    const std::vector<u16> x = all_codes();
    const std::vector<u16> got = evaluate<Operation>(x);
    std::vector<int> worst(1), none(1);
    for (size_t i = 0; i < x.size(); ++i) {
      const u16 want = Ref::round(exact(value(x[i])));
      const int d = distance(got[i], want, Ref::is_nan(got[i]), Ref::is_nan(want));
      if (d > steps && d > worst[0]) {
        std::printf("%s(0x%04x): got 0x%04x, expected 0x%04x\n", Operation::name(), x[i], got[i],
                    want);
        worst[0] = d;
      }
    }
    expect(Operation::name(), worst, none);
  }

  static void arithmetic() {
    const auto add = [](u16 x, u16 y) { return Ref::sum(value(x), value(y)); };
    const auto subtract = [](u16 x, u16 y) { return Ref::sum(value(x), -value(y)); };
    const auto multiply = [](u16 x, u16 y) { return Ref::round(value(x) * value(y)); };
    const auto lower = [](u16 x, u16 y) {
      if (Ref::is_nan(x)) return Ref::is_nan(y) ? kNan : y;
      const bool x_is_lower = value(x) < value(y) || (value(x) == value(y) && x > y);
      return x_is_lower || Ref::is_nan(y) ? x : y;
    };
    const auto upper = [=](u16 x, u16 y) {
      return Ref::is_nan(x) || Ref::is_nan(y) ? lower(x, y) : lower(x, y) == x ? y : x;
    };
    const auto nan_wins = [](auto choose) {
      return [=](u16 x, u16 y) { return Ref::is_nan(x) || Ref::is_nan(y) ? kNan : choose(x, y); };
    };
    const auto saturate = [](auto f) { return [=](u16 x, u16 y) { return saturated(f(x, y)); }; };
    const auto keep_nan = [](auto f) {
      return [=](u16 x) -> u16 { return Ref::is_nan(x) ? kNan : f(x); };
    };
    const auto negate = keep_nan([](u16 x) { return x ^ 0x8000; });
    const auto absolute = keep_nan([](u16 x) { return x & 0x7FFF; });
    unary<Negate>(negate);
    unary<Absolute>(absolute);
    check<Negate2>(twice(negate), random_bits<u32>(1 << 16, 13));
    check<Absolute2>(twice(absolute), random_bits<u32>(1 << 16, 14));
    binary<Add, Add2>(add);
    binary<Subtract, Subtract2>(subtract);
    binary<Multiply, Multiply2>(multiply);
    binary<AddRounded, AddRounded2>(add);
    binary<SubtractRounded, SubtractRounded2>(subtract);
    binary<MultiplyRounded, MultiplyRounded2>(multiply);
    binary<AddSaturated, AddSaturated2>(saturate(add));
    binary<SubtractSaturated, SubtractSaturated2>(saturate(subtract));
    binary<MultiplySaturated, MultiplySaturated2>(saturate(multiply));
    binary<Minimum, Minimum2>(lower);
    binary<Maximum, Maximum2>(upper);
    binary<MinimumNan, MinimumNan2>(nan_wins(lower));
    binary<MaximumNan, MaximumNan2>(nan_wins(upper));
    ternary<Fma, Fma2>(fma);
    ternary<FmaSaturated, FmaSaturated2>(
        [](u16 x, u16 y, u16 z) { return saturated(fma(x, y, z)); });
    ternary<FmaRelu, FmaRelu2>([](u16 x, u16 y, u16 z) { return relu(fma(x, y, z)); });
    check<ComplexFma>(
        [](u32 x, u32 y, u32 z) {
          const u16 a = x, b = x >> 16, c = y, d = y >> 16;
          const u16 real = fma(b, d ^ 0x8000, fma(a, c, z)),
                    imaginary = fma(b, c, fma(a, d, z >> 16));
          return u32(real) | u32(imaginary) << 16;
        },
        random_bits<u32>(1 << 14, 15), random_bits<u32>(1 << 14, 16),
        random_bits<u32>(1 << 14, 17));
    check<Operators>(
        [=](u16 x, u16 y) {
          const u16 r = multiply(add(subtract(x, y), y), y);
          return value(r) > value(y) ? negate(r) : r;
        },
        random_bits<u16>(1 << 16, 18), random_bits<u16>(1 << 16, 19));
    check<SwapHalves>([](u32 x) { return x >> 16 | x << 16; }, random_bits<u32>(1 << 10, 20));
  }

#define CHECK_RELATION(Name, test) \
  relation<Name, Name##Both, Name##Number, Name##Mask>([](double x, double y) { return test; })
  static void comparisons() {
    CHECK_RELATION(eq, x == y);
    CHECK_RELATION(ne, x < y || x > y);
    CHECK_RELATION(lt, x < y);
    CHECK_RELATION(le, x <= y);
    CHECK_RELATION(gt, x > y);
    CHECK_RELATION(ge, x >= y);
    CHECK_RELATION(equ, !(x < y || x > y));
    CHECK_RELATION(neu, !(x == y));
    CHECK_RELATION(ltu, !(x >= y));
    CHECK_RELATION(leu, !(x > y));
    CHECK_RELATION(gtu, !(x <= y));
    CHECK_RELATION(geu, !(x < y));
    unary<IsNan>([](u16 x) -> u16 { return Ref::is_nan(x); });
    unary<IsInfinite>([](u16 x) -> u16 {
      return x == Ref::kInfinity ? 1 : x == (Ref::kInfinity | 0x8000) ? 0xFFFF : 0;
    });
    check<IsNan2>(twice([](u16 x) { return Ref::is_nan(x) * Ref::kOne; }),
                  random_bits<u32>(1 << 16, 21));
  }

  static void functions() {
    const auto integral = [](double f(double)) {
      return [=](u16 x) { return Ref::round(f(value(x))); };
    };
    unary<Truncate>(integral(std::trunc));
    unary<Ceiling>(integral(std::ceil));
    unary<Floor>(integral(std::floor));
    unary<RoundToInteger>(integral(std::rint));
    close<SquareRoot>(std::sqrt, 1);
    close<ReciprocalRoot>([](double x) { return 1 / std::sqrt(x); }, 1);
    close<Reciprocal>([](double x) { return 1 / x; }, 1);
    close<Exponential>(std::exp, 1);
    close<Exponential2>(std::exp2, 1);
    close<Exponential10>([](double x) { return std::pow(10.0, x); }, 1);
    close<Logarithm>(std::log, 1);
    close<Logarithm2>(std::log2, 1);
    close<Logarithm10>(std::log10, 1);
    close<Sine>(std::sin, 2);
    close<Cosine>(std::cos, 2);
    close<Tanh>(std::tanh, 2);
    close<TanhApprox>(std::tanh, 2);
  }
};

/// Rotates pairs through a warp in four ways; every path brings back the lane's own pair.
template <class F>
__global__ void rotate(const u32* in, u32* out) {
  using Math = HalfMath<F>;
  const unsigned all = 0xFFFFFFFFu;
  const int lane = threadIdx.x;
  typename F::Two v = Math::two(in[lane]);
  v = __shfl_sync(all, v, (lane + 5) & 31);
  v = __shfl_xor_sync(all, v, 9);
  typename F::One low = Math::one(static_cast<u16>(Math::codes(v)));
  typename F::One high = Math::one(static_cast<u16>(Math::codes(v) >> 16));
  low = __shfl_down_sync(all, low, 3);
  high = __shfl_up_sync(all, high, 3);
  out[lane] = Math::code(low) | static_cast<u32>(Math::code(high)) << 16;
}

/// Every thread adds 1 and 2 to a pair, and 1 to a single number, in global and shared memory.
/// What the shared copies hold at the end is added to the global ones.
template <class F>
__global__ void accumulate(u32* pair, u16* single, u16* before) {
  using Math = HalfMath<F>;
  using One = typename F::One;
  using Two = typename F::Two;
  __shared__ u32 shared_pair;
  __shared__ u16 shared_single[2];
  if (threadIdx.x == 0) shared_pair = shared_single[0] = shared_single[1] = 0;
  __syncthreads();
  const u16 unit = Reference<F>::kOne, twice = unit + (1 << F::kFraction);
  const Two step = Math::two(unit | static_cast<u32>(twice) << 16);
  const One old = atomicAdd(reinterpret_cast<One*>(single) + 1, Math::one(unit));
  before[threadIdx.x] = Math::code(old);
  atomicAdd(reinterpret_cast<Two*>(pair), step);
  atomicAdd(reinterpret_cast<Two*>(&shared_pair), step);
  atomicAdd(reinterpret_cast<One*>(shared_single) + 1, Math::one(unit));
  __syncthreads();
  if (threadIdx.x != 0) return;
  atomicAdd(reinterpret_cast<Two*>(pair), Math::two(shared_pair));
  atomicAdd(reinterpret_cast<One*>(single), Math::one(shared_single[1]));
}

template <class F>
void check_shuffles_and_atomics() {
  using Ref = Reference<F>;
  const std::vector<u32> in = random_bits<u32>(32, 22);
  std::vector<u32> want(32);
  for (int lane = 0; lane < 32; ++lane) {
    const auto moved = [&](int l) { return in[((l ^ 9) + 5) & 31]; };
    const u32 low = moved(lane + 3 < 32 ? lane + 3 : lane),
              high = moved(lane >= 3 ? lane - 3 : lane);
    want[lane] = (low & 0xFFFF) | (high & 0xFFFF0000u);
  }
  DeviceArray<u32> source(in), moved(32);
  rotate<F><<<1, 32>>>(source.data(), moved.data());
  finish_kernels();
  expect("shuffles", moved.host(), want);

  const int threads = 64;
  DeviceArray<u32> pair(std::vector<u32>{0});
  DeviceArray<u16> single(std::vector<u16>{0, 0}), before(threads);
  accumulate<F><<<1, threads>>>(pair.data(), single.data(), before.data());
  finish_kernels();
  expect("atomic pair", pair.host()[0],
         Ref::round(2 * threads) | u32(Ref::round(4 * threads)) << 16);
  expect("atomic single", single.host(), std::vector<u16>(2, Ref::round(threads)));
  std::vector<u16> order = before.host(), counted(threads);
  std::sort(order.begin(), order.end());
  for (int i = 0; i < threads; ++i) counted[i] = Ref::round(i);
  expect("atomic old values", order, counted);
}
