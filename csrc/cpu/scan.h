// The first pass over a row whose classes lie one after the other: the largest logit, and the rank
// of the target.

constexpr int64_t kFetchAhead = 4096;  // bytes

// Fetches what lies so far behind each of these bytes: often of the next row.
template <class T>
FTCORE_INLINE void fetch_ahead(const T* from, int64_t bytes) {
  for (int64_t line = 0; line < bytes; line += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(from) + kFetchAhead + line, 0, 2);
  }
}

// The greatest value less than z, which is finite and not 0.
FTCORE_INLINE float previous(float z) {
  const int32_t bits = __builtin_bit_cast(int32_t, z);
  return __builtin_bit_cast(float, bits + 1 - 2 * int32_t{z > 0});
}
FTCORE_INLINE double previous(double z) {
  const int64_t bits = __builtin_bit_cast(int64_t, z);
  return __builtin_bit_cast(double, bits + 1 - 2 * int64_t{z > 0});
}

// Loops run over all pairs of a row, whatever its target is, so that the processor
// foresees their ends.
template <class T>
struct Scan {
  using Pair = PairOf<T>;
  using L = typename LanesOf<T>::type;
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Value = typename L::Value;
  using Integer = typename L::Integer;

  const T* logits;
  int64_t classes, target;  // which may lie before or after these classes
  Value z_target;
  int64_t edge;     // the pair of the target; those before it count as well what equals the target
  Value limits[2];  // what counts is above: from the edge on, before it
  V max;
  M first;  // the pair at which the maximum came up
  M above;  // counts down

  FTCORE_INLINE Scan(const T* row, int64_t classes_, int64_t target_, Value z_target_)
      : logits(row), classes(classes_), target(target_), z_target(z_target_) {
    edge = target < 0 ? 0 : target < classes ? target / Pair::count : classes;
    limits[0] = z_target;
    limits[1] = z_target == 0 ? z_target : previous(z_target);
    max = V{} - static_cast<Value>(__builtin_inf());
    first = above = M{};
  }

  FTCORE_INLINE void count_above(const Pair& z, int64_t pair) {
    const Value limit = limits[pair < edge];
    above = z.a > limit ? above - 1 : above;
    above = z.b > limit ? above - 1 : above;
  }

  FTCORE_INLINE void raise(V largest, int64_t pair) {
    first = largest > max ? M{} + static_cast<Integer>(pair) : first;
    max = larger(largest, max);
  }

  FTCORE_INLINE void add(int64_t pair) {
    const T* from = logits + pair * Pair::count;
    const Pair z = Pair::read(from);
    fetch_ahead(from, Pair::count * int{sizeof(T)});
    count_above(z, pair);
    raise(larger(z.a, z.b), pair);
  }

  FTCORE_INLINE void add_two(int64_t pair) {
    const T* from = logits + pair * Pair::count;
    const Pair z = Pair::read(from), y = Pair::read(from + Pair::count);
    fetch_ahead(from, 2 * Pair::count * int{sizeof(T)});
    count_above(z, pair);
    count_above(y, pair + 1);
    raise(larger(larger(z.a, z.b), larger(y.a, y.b)), pair);
  }

  // The last logits of the row, the first of which were in whole pairs already.
  FTCORE_INLINE void add_last(int64_t pairs) {
    const int64_t start = classes - Pair::count;
    const auto seen = static_cast<Integer>(pairs * Pair::count - start);
    const Pair z = Pair::read(logits + start);
    fetch_ahead(logits + start, Pair::count * int{sizeof(T)});
    const Value limit = limits[target >= classes];
    above += (z.a > limit) & (Pair::place_a() >= seen);
    above += (z.b > limit) & (Pair::place_b() >= seen);
    raise(larger(z.a, z.b), pairs);
  }

  // How many rank before the target, the pairs all being added.
  FTCORE_INLINE int64_t rank() {
    const int64_t pairs = classes / Pair::count, last = classes - Pair::count;
    if (z_target == 0) add_equal(edge < pairs ? edge : pairs);
    if (target < 0 || target >= classes) return -static_cast<int64_t>(sum_lanes(above));
    // Equal ones before the target, in its own pair.
    const int64_t start = edge < pairs ? edge * Pair::count : last;
    const auto goal = static_cast<Integer>(target - start);
    const auto own = static_cast<Integer>(edge < pairs ? 0 : pairs * Pair::count - last);
    const M a = Pair::place_a(), b = Pair::place_b();
    const Pair z = Pair::read(logits + start);
    above += (z.a == z_target) & (a < goal) & (a >= own);
    above += (z.b == z_target) & (b < goal) & (b >= own);
    return -static_cast<int64_t>(sum_lanes(above));
  }

  // What equals a target of 0 in the pairs before `end`: what lies just below 0 may be taken for 0.
  __attribute__((noinline)) void add_equal(int64_t end) {
    for (int64_t pair = 0; pair < end; ++pair) {
      const Pair z = Pair::read(logits + pair * Pair::count);
      above += (z.a == z_target) + (z.b == z_target);
    }
    if (target < classes || end * Pair::count == classes) return;
    const int64_t start = classes - Pair::count;
    const auto seen = static_cast<Integer>(end * Pair::count - start);
    const Pair z = Pair::read(logits + start);
    above += ((z.a == z_target) & (Pair::place_a() >= seen)) +
             ((z.b == z_target) & (Pair::place_b() >= seen));
  }

  // The first class whose logit is `largest`.
  FTCORE_INLINE int64_t find(Value largest) const {
    const M where = max == largest ? first : M{} + static_cast<Integer>(classes);
    const int64_t last = classes - Pair::count, start = int64_t{min_lane(where)} * Pair::count;
    const int64_t at = start < last ? start : last;
    const int64_t next = at + Pair::count < last ? at + Pair::count : last;
    const Pair z = Pair::read(logits + at), y = Pair::read(logits + next);
    const int in_z = Pair::first(z.a == largest, z.b == largest);
    const int in_y = Pair::first(y.a == largest, y.b == largest);
    const int64_t found = choose(in_z < Pair::count, at + in_z, next + in_y);
    return found < classes ? found : classes - 1;  // it is nowhere if something is not a number
  }
};
