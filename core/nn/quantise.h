// Vector quantisation: vectors replaced by the nearest row of a codebook (van den Oord et al. 2017), the
// codebook learned by its loss or as a running average (ibid., appendix A.1).
#pragma once

#include "core/graph/ops.h"

namespace core {

struct Quantised {
    Var index;            // [..., 1]
    Var code;             // [..., D], the rows themselves: gradients reach the codebook
    Var straightThrough;  // the same values; gradients pass to what was quantised as if nothing had happened
};

// x [..., D] of rank 2 or more; codebook [K, D].
Quantised quantise(Var x, Var codebook);

// |sg[x] - code|^2 and |x - sg[code]|^2, means over all elements: [1]. (eq. 3; the paper's beta weighs the
// second.)
Var codebookLoss(Var x, Var code);
Var commitmentLoss(Var x, Var code);

// A codebook that follows what is quantised in place of a gradient: each row is the mean, in the running
// average, of the vectors that chose it.
class AveragedCodebook {
  public:
    AveragedCodebook(const Scope& scope, int count, int width);

    // One step for the vectors x [..., D] and their indices [..., 1]. decay [1].
    // A row whose running count falls below `threshold` [1] starts again at a vector of this batch, drawn
    // from `stream`; a threshold of 0 restarts none.
    void update(Var x, Var index, Var decay, Var threshold, const std::string& stream) const;

    Var weight;  // state [K, D]
    Var count;   // state [K, 1]: vectors a step that chose the row
    Var sum;     // state [K, D]: of those
};

// exp of the entropy of how often each of `count` rows was chosen: [1]. 1 if one row serves all, K if all
// alike.
Var perplexity(Var index, int count);

}  // namespace core
