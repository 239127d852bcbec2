// What the network says: one answer in four languages, and how it is told the time.
#pragma once

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

void drawLanguages(Canvas& canvas, const core::Frame& frame, const SharedTime& time);
void drawTimeEmbedding(Canvas& canvas, const core::Frame& frame);

// The training image closest to a sample of the run that is stepped through.
class Nearest {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SamplingPlace& place, int sample,
              const SetHandle& set);

  private:
    int64_t m_run = 0;
    int m_sample = -1;
    std::vector<float> m_query;
};

}  // namespace views::ddpm
