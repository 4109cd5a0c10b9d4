// Where each head's counts lie, and which of them a thread keeps for itself.
#pragma once

#include <torch/csrc/stable/ops.h>

#include "../core/classification.h"

namespace ftcore {

struct CountsOfHeads {
  int64_t* all;  // (heads, size())
  int64_t classes, bins;
  bool confusion;
  // Large matrices take longer to clear and to add up than their few increments to share.
  bool shares = confusion && classes > 128 && torch::stable::get_num_threads() > 1;

  int64_t size() const { return Counts::size(classes, bins, confusion); }
  int64_t own_size() const { return Counts::size(classes, bins, confusion && !shares); }

  // The counts of a head, of which the thread's own begin at `own`.
  Counts at(int64_t* own, int64_t head) const {
    Counts counts(own, classes, bins, confusion && !shares);
    if (shares) {
      counts.confusion = Counts(all + head * size(), classes, bins, true).confusion;
      counts.shares_confusion = true;
    }
    return counts;
  }
};

}  // namespace ftcore
