// The second pass over a row whose classes lie one after the other: RowSums in lanes.

// A row whose largest logit, that of the prediction, is known.
template <class T>
struct ScannedLogits {
  const T* logits;
  int64_t classes, prediction;
  typename LanesOf<T>::type::Value max;
};

template <class T>
struct Exponentials {
  using Pair = PairOf<T>;
  using L = typename LanesOf<T>::type;
  using V = typename L::Vector;
  using M = typename L::Mask;
  using Integer = typename L::Integer;

  struct Sums {
    V rest, weighted, squares;
    FTCORE_INLINE void add(V d, V e) {
      rest += e;
      weighted += e * d;
      squares += e * e;
    }
  };

  const T* logits;
  int64_t prediction, edge;
  V largest;
  alignas(64) T nothing[Pair::count];  // in place of the pair that has the prediction
  Doubles rest{}, weighted{}, squares{};

  FTCORE_INLINE explicit Exponentials(const ScannedLogits<T>& row)
      : logits(row.logits),
        prediction(row.prediction),
        edge(row.prediction / Pair::count),
        largest(V{} + row.max) {
    for (T& logit : nothing) logit = lowest<T>();
  }

  FTCORE_INLINE void add(int64_t pair, Sums& a, Sums& b) const {
    const Pair z = Pair::read(pair == edge ? nothing : logits + pair * Pair::count);
    a.add(z.a - largest, exponential(z.a - largest));
    b.add(z.b - largest, exponential(z.b - largest));
  }

  // Of the pair at `start`, the logits from `seen` on that are not the prediction's.
  FTCORE_INLINE void add_part(int64_t start, int64_t seen, Sums& a, Sums& b) const {
    const auto first = static_cast<Integer>(seen), own = static_cast<Integer>(prediction - start);
    const M place_a = Pair::place_a(), place_b = Pair::place_b();
    const Pair z = Pair::read(logits + start);
    const V d_a = z.a - largest, d_b = z.b - largest;
    a.add(d_a, (place_a >= first) & (place_a != own) ? exponential(d_a) : V{});
    b.add(d_b, (place_b >= first) & (place_b != own) ? exponential(d_b) : V{});
  }

  FTCORE_INLINE void settle(Sums& a, Sums& b) {
    rest += fold(a.rest + b.rest);
    weighted += fold(a.weighted + b.weighted);
    squares += fold(a.squares + b.squares);
    a = b = Sums{};
  }

  FTCORE_INLINE RowSums sums() const {
    return {sum_lanes(rest), sum_lanes(weighted), sum_lanes(squares)};
  }
};
