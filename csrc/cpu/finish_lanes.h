// What the sums of rows come to in float32, one lane a row: finish_row for many rows at once.

struct LaneResults {
  Floats confidence, nll, brier, entropy;
};

// below: max - z_target.
FTCORE_INLINE LaneResults finish_lanes(Floats rest, Floats weighted, Floats squares, Floats below,
                                       Ints is_correct) {
  const Floats inverse = 1.0f / (rest + 1.0f);
  const Floats log_total = log1p_of(rest, inverse);
  const Floats e_target = exponential(-below);
  const Floats missing = (is_correct ? rest : rest + 1.0f - e_target) * inverse;
  const Floats others = is_correct ? squares : squares + 1.0f - e_target * e_target;
  return {inverse, log_total + below, missing * missing + others * (inverse * inverse),
          log_total - weighted * inverse};
}

// Lanes whose confidence, known to a few units of 1e-7, may lie on either side of the edge of a bin.
FTCORE_INLINE Ints are_near_edge(Floats confidence, int64_t bins) {
  const float count = static_cast<float>(bins), shift = 12582912.0f;
  const Floats place = confidence * count, edge = (place + shift) - shift;
  const Floats off = larger(place - edge, edge - place);
  return (off <= place * 8e-6f) & (edge < count);
}
