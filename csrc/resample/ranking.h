// AUROC and average precision of units that count several times, from entries that are in order.
#pragma once

#include <cstdint>
#include <limits>

namespace ftcore::resample {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// A scored example. Entries lie in falling order of their scores. Bit 0: is it positive? Bit 1: is
// it the last of those with the same score? The rest: the unit it belongs to.
struct Entry {
  uint32_t bits;

  uint32_t unit() const { return bits >> 2; }
  bool is_last() const { return bits >> 1 & 1; }
  int64_t positive(int64_t weight) const { return weight & -static_cast<int64_t>(bits & 1); }
};

struct Entries {
  const Entry* first;
  int64_t size;
  bool has_ties;

  Entries(const uint32_t* bits, int64_t size)
      : first(reinterpret_cast<const Entry*>(bits)), size(size), has_ties(false) {
    for (int64_t i = 0; i < size; ++i) has_ties |= !first[i].is_last();
  }

  const Entry* begin() const { return first; }
  const Entry* end() const { return first + size; }
};

// Pairs of a positive and a negative, twice those in which the positive has the higher score and
// once those that tie: integers, so that no order of addition matters.
struct Area {
  int64_t doubled = 0, positives = 0, negatives = 0;

  void add(int64_t positive, int64_t negative) {
    doubled += negative * (2 * positives + positive);
    positives += positive;
    negatives += negative;
  }

  double value() const {
    if (positives == 0 || negatives == 0) return kUndefined;
    return static_cast<double>(doubled) / static_cast<double>(2 * positives * negatives);
  }
};

// An area to which entries are added one after the other.
struct Curve {
  Area area;
  int64_t tied = 0, tied_positive = 0;

  void add(Entry entry, int64_t count) {
    tied += count;
    tied_positive += entry.positive(count);
    if (entry.is_last()) {
      area.add(tied_positive, tied - tied_positive);
      tied = tied_positive = 0;
    }
  }
};

// The area under the ROC curve, each unit counting `weight` times; NaN unless both classes do.
template <class Count>
double auroc(const Entries& entries, const Count* weight) {
  if (entries.has_ties) {
    Curve curve;
    for (const Entry entry : entries) curve.add(entry, weight[entry.unit()]);
    return curve.area.value();
  }
  Area area;  // by itself, without a question at every entry
  for (const Entry entry : entries) {
    const int64_t count = weight[entry.unit()], positive = entry.positive(count);
    area.add(positive, count - positive);
  }
  return area.value();
}

// Sum over the thresholds, the highest first, of precision times the step in recall; NaN where no
// positive counts.
template <class Count>
double average_precision(const Entries& entries, const Count* weight) {
  int64_t all = 0, positives = 0, tied_positive = 0;
  double total = 0;
  for (const Entry entry : entries) {
    const int64_t count = weight[entry.unit()];
    all += count;
    tied_positive += entry.positive(count);
    if (entry.is_last()) {
      positives += tied_positive;
      const int64_t whole = all == 0 ? 1 : all;  // nothing divided by nothing would spoil the sum
      const double precision = static_cast<double>(positives) / static_cast<double>(whole);
      total += static_cast<double>(tied_positive) * precision;
      tied_positive = 0;
    }
  }
  return positives == 0 ? kUndefined : total / static_cast<double>(positives);
}

// AUROC of the first model less that of the second, after units swapped their scores. An entry's
// unit is here two times the unit, plus 1 for the second model's score.
inline double swapped_difference(const Entries& entries, const uint8_t* swap) {
  Curve first, second;
  for (const Entry entry : entries) {
    const int64_t is_second = (entry.unit() & 1) ^ swap[entry.unit() >> 1];
    first.add(entry, 1 - is_second);
    second.add(entry, is_second);
  }
  return first.area.value() - second.area.value();
}

}  // namespace ftcore::resample
