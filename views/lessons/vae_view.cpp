// The VAE's panels: which of them a data set and a number of codes call for, and the channels they need.
#include <set>

#include "views/lessons/vae/bound.h"
#include "views/lessons/vae/drawing_pad.h"
#include "views/lessons/vae/exact.h"
#include "views/lessons/vae/gradient.h"
#include "views/lessons/vae/latent.h"
#include "views/lessons/vae/pictures.h"
#include "views/view.h"

namespace views::lessons {

namespace {

using views::vae::Kind;
using views::vae::Situation;

class VaeView : public View {
  public:
    VaeView();

    std::vector<Panel> panels(const core::Frame& frame) override;
    std::vector<std::string> needs() const override;

  private:
    // The most telling first; the pane shows them all at once.
    static std::vector<std::string> shown(const Situation& s);
    // Whether a run in that situation has the channel at all.
    static bool exists(const std::string& channel, const Situation& s);

    std::vector<Panel> m_panels;
    vae::LatentPlane m_latent;
    vae::Path m_path;
    vae::DrawingPad m_pad;
    vae::Cursor m_cursor;
};

VaeView::VaeView() {
    using core::Frame;
    const auto plain = [](void (*draw)(Canvas&, const Frame&)) {
        return [draw](Canvas& canvas, const Frame& frame, const SetHandle&) { draw(canvas, frame); };
    };
    m_panels = {
        {"latent",
         {"codes", "codes_logvar", "codes_label", "aggregate_field", "plane_axes", "decoded_point", "drag_mu",
          "drag_sigma", "drag_z", "drag_input", "drag_decoded"},
         2,
         [this](Canvas& c, const Frame& f, const SetHandle& set) { m_latent.draw(c, f, set, m_cursor); }},
        {"manifold",
         {"manifold"},
         1,
         [this](Canvas& c, const Frame& f, const SetHandle& set) { vae::drawManifold(c, f, set, m_cursor); }},
        {"reconstructions", {"inputs", "reconstructed", "real", "recon"}, 1, plain(vae::drawReconstructions)},
        {"samples",
         {"prior_samples", "real_points", "decoded_point"},
         1,
         [this](Canvas& c, const Frame& f, const SetHandle&) { vae::drawSamples(c, f, m_cursor); }},
        {"path",
         {"inputs", "path_lerp", "path_slerp"},
         1,
         [this](Canvas& c, const Frame& f, const SetHandle& set) { m_path.draw(c, f, set); }},
        {"elbo", {"elbo", "elbo_test", "reconstruction", "kl", "collapse_alarm"}, 1, plain(vae::drawElbo)},
        {"kl_dimensions",
         {"kl_dims", "kl", "active_units", "collapse_alarm", "codes"},
         1,
         plain(vae::drawKlDimensions)},
        {"identity", {"log_p", "gap", "iwae_1", "iwae_8", "iwae_64"}, 1, plain(vae::drawIdentity)},
        {"gradient_paths",
         {"gradient_reparam", "gradient_score", "variance_reparam", "variance_score"},
         1,
         plain(vae::drawGradientPaths)},
        {"rate_distortion", {"rate", "distortion", "beta_now"}, 1, plain(vae::drawRateDistortion)},
        {"holes",
         {"holes", "hole_density", "aggregate_field", "plane_axes", "prior_gap", "real_points"},
         1,
         plain(vae::drawHoles)},
        {"draw",
         {"drawn_mu", "drawn_logvar", "drawn_recon", "codes", "codes_label"},
         1,
         [this](Canvas& c, const Frame& f, const SetHandle& set) { m_pad.draw(c, f, set); }},
        {"exact",
         {"exact_mean", "encoder_mean", "exact_sd", "encoder_sd", "log_p", "gap", "posterior_error"},
         2,
         plain(vae::drawExact)},
    };
}

std::vector<std::string> VaeView::shown(const Situation& s) {
    if (s.kind == Kind::exact) return {"exact", "identity", "latent", "elbo", "gradient_paths"};
    if (s.kind == Kind::points)
        return {"latent", "samples",       "reconstructions", "elbo",
                "holes",  "kl_dimensions", "rate_distortion", "gradient_paths"};
    if (s.zDim == 2)
        return {"latent", "manifold", "reconstructions", "elbo",
                "path",   "draw",     "rate_distortion", "gradient_paths"};
    return {"latent", "reconstructions", "samples", "elbo", "kl_dimensions", "identity", "path", "holes"};
}

bool VaeView::exists(const std::string& channel, const Situation& s) {
    static const std::set<std::string> images = {"manifold",     "inputs",      "reconstructed",
                                                 "path_lerp",    "path_slerp",  "drawn_mu",
                                                 "drawn_logvar", "drawn_recon", "codes_label"};
    static const std::set<std::string> exact = {"exact_mean", "encoder_mean", "exact_sd",       "encoder_sd",
                                                "log_p",      "gap",          "posterior_error"};
    static const std::set<std::string> points = {"real_points", "real", "recon"};
    if (images.contains(channel)) return s.kind == Kind::images;
    if (exact.contains(channel)) return s.kind == Kind::exact;
    if (points.contains(channel)) return s.kind == Kind::points;
    return true;
}

std::vector<Panel> VaeView::panels(const core::Frame& frame) {
    const Situation s = vae::situationOf(frame);
    std::vector<Panel> out;
    for (const std::string& id : shown(s)) {
        for (const Panel& panel : m_panels) {
            if (panel.id != id) continue;
            out.push_back(panel);
            std::erase_if(out.back().needs, [&](const std::string& channel) { return !exists(channel, s); });
            // The first panel is the main one, whatever it is elsewhere.
            out.back().weight = out.size() == 1 ? 2 : 1;
        }
    }
    return out;
}

std::vector<std::string> VaeView::needs() const {
    std::set<std::string> all;
    for (const Panel& panel : m_panels) all.insert(panel.needs.begin(), panel.needs.end());
    return {all.begin(), all.end()};
}

}  // namespace

std::unique_ptr<View> vae() {
    return std::make_unique<VaeView>();
}

}  // namespace views::lessons
