// The panels of denoising diffusion: the viewer first, then what explains it.
#include <set>

#include "views/lessons/ddpm/forward.h"
#include "views/lessons/ddpm/losses.h"
#include "views/lessons/ddpm/network.h"
#include "views/lessons/ddpm/posterior.h"
#include "views/lessons/ddpm/race.h"
#include "views/lessons/ddpm/schedule.h"
#include "views/lessons/ddpm/score.h"
#include "views/lessons/ddpm/viewer.h"
#include "views/view.h"

namespace views::lessons {

namespace {

using core::Frame;
using views::ddpm::Kind;

class DdpmView : public View {
  public:
    std::vector<Panel> panels(const Frame& frame) override;
    std::vector<std::string> needs() const override;
    void setSampling(const SamplingPlace& place, const SamplingActions& actions) override {
        m_place = place;
        m_actions = actions;
    }

  private:
    SamplingPlace m_place;
    SamplingActions m_actions;
    ddpm::SharedTime m_time;
    ddpm::Viewer m_viewer;
    ddpm::Forward m_forward;
    ddpm::Posterior m_posterior;
    ddpm::Schedule m_schedule;
    ddpm::Race m_race;
    ddpm::Nearest m_nearest;
};

std::vector<Panel> DdpmView::panels(const Frame& frame) {
    std::vector<Panel> all;
    constexpr size_t shown = 7;
    const auto add = [&](const char* id, std::vector<std::string> needs, auto draw) {
        all.push_back({id, std::move(needs), all.empty() ? 2.f : 1.f,
                       [this, draw](Canvas& canvas, const Frame& f, const SetHandle& set) {
                           m_time.settle(f, m_place, set);
                           draw(canvas, f, set);
                       },
                       all.size() >= shown});
    };
    const bool points = ddpm::kindOf(frame) == Kind::points;
    const bool exact = points && ddpm::isMixture(frame);
    add("viewer", {"forward_x0"},
        [this](Canvas& c, const Frame& f, const SetHandle&) { m_viewer.draw(c, f, m_place, m_actions); });
    add("forward", {"forward_x0", "forward_xt", "chain_xt", "chain_ks", "chain_ks_limit", "schedule"},
        [this](Canvas& c, const Frame& f, const SetHandle&) {
            m_forward.draw(c, f, m_place, m_time, m_actions);
        });
    if (points) {
        std::vector<std::string> needs = {"score_field", "marginal"};
        if (exact) needs.insert(needs.end(), {"score_exact", "score_error", "score_rmse"});
        add("score", needs,
            [this](Canvas& c, const Frame& f, const SetHandle&) { ddpm::drawScore(c, f, m_time); });
    } else {
        add("nearest", {"nearest_image", "nearest_distance", "nearest_baseline"},
            [this](Canvas& c, const Frame& f, const SetHandle& set) {
                m_nearest.draw(c, f, m_place, m_viewer.sample(), set);
            });
    }
    std::vector<std::string> lossNeeds = ddpm::lossNeeds();
    if (!exact) std::erase(lossNeeds, "loss_floor");
    add("loss_by_t", lossNeeds,
        [](Canvas& c, const Frame& f, const SetHandle&) { ddpm::drawLossByTime(c, f); });
    add("schedule", {"schedule", "schedule_linear"}, [this](Canvas& c, const Frame& f, const SetHandle& set) {
        m_schedule.draw(c, f, m_time, m_actions, set);
    });
    add("race", {}, [this](Canvas& c, const Frame& f, const SetHandle&) { m_race.draw(c, f, m_actions); });
    if (points) {
        add("distance", {"w2", "w2_baseline", "w2_count"},
            [](Canvas& c, const Frame& f, const SetHandle&) { ddpm::drawDistance(c, f); });
        add("posterior", {"posterior"},
            [this](Canvas& c, const Frame& f, const SetHandle& set) { m_posterior.draw(c, f, m_time, set); });
    }
    add("bound", {"bound_bits", "bound_total"},
        [](Canvas& c, const Frame& f, const SetHandle&) { ddpm::drawBound(c, f); });
    add("languages",
        {"forward_x0", "forward_eps", "predicted_eps", "predicted_x0", "predicted_v", "predicted_score",
         "schedule"},
        [this](Canvas& c, const Frame& f, const SetHandle&) { ddpm::drawLanguages(c, f, m_time); });
    add("time_embedding", {"time_embedding", "time_mlp"},
        [](Canvas& c, const Frame& f, const SetHandle&) { ddpm::drawTimeEmbedding(c, f); });
    return all;
}

std::vector<std::string> DdpmView::needs() const {
    std::set<std::string> all;
    for (const char* data : {"ring8", "moons", "fashion"}) {
        Frame frame;
        frame.choices["data"] = data;
        for (const Panel& panel : DdpmView().panels(frame))
            all.insert(panel.needs.begin(), panel.needs.end());
    }
    return {all.begin(), all.end()};
}

}  // namespace

std::unique_ptr<View> ddpm() {
    return std::make_unique<DdpmView>();
}

}  // namespace views::lessons
