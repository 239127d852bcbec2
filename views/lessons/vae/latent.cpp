#include "views/lessons/vae/latent.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace views::vae {

namespace {

constexpr int ellipses = 60;

std::string pairOf(std::span<const float> v) {
    std::string text = v.empty() ? "" : figure(v[0], 3);
    if (v.size() > 1) text += "  " + figure(v[1], 3);
    return text;
}

// Moves boxes of those half sizes apart until none overlaps, each as little as possible.
void separate(std::vector<Vec>& centres, const std::vector<Vec>& halves) {
    for (int round = 0; round < 60; ++round) {
        bool moved = false;
        for (size_t i = 0; i < centres.size(); ++i)
            for (size_t j = i + 1; j < centres.size(); ++j) {
                const Vec d = centres[j] - centres[i];
                const float overX = halves[i].x + halves[j].x - std::abs(d.x);
                const float overY = halves[i].y + halves[j].y - std::abs(d.y);
                if (overX <= 0 || overY <= 0) continue;
                moved = true;
                const float by = overY / 2 + 0.5f;
                const float up = d.y >= 0 ? 1.f : -1.f;
                centres[i].y -= up * by;
                centres[j].y += up * by;
            }
        if (!moved) return;
    }
}

}  // namespace

std::vector<float> LatentPlane::Draw::z() const {
    std::vector<float> z(mu.size());
    for (size_t k = 0; k < z.size(); ++k) z[k] = mu[k] + sigma[k] * eps[k];
    return z;
}

LatentPlane::Codes LatentPlane::codesOf(const core::Frame& frame) {
    Codes codes;
    const core::Tensor* t = frame.find("codes");
    if (!t || t->values.empty()) return codes;
    const auto c = size_t(t->shape.columns()), n = size_t(t->shape.rows());
    if (t->values.size() < n * c) return codes;
    codes.x.resize(n);
    codes.y.assign(n, 0);  // a single hidden number lies on the axis
    for (size_t i = 0; i < n; ++i) {
        codes.x[i] = t->values[i * c];
        if (c > 1) codes.y[i] = t->values[i * c + 1];
    }
    return codes;
}

LatentPlane::Draw LatentPlane::drawOf(const core::Frame& frame) {
    if (frame.step < m_step) m_asked = false;  // begun anew
    m_step = frame.step;
    const auto mu = rowOf(frame.find("drag_mu")), sigma = rowOf(frame.find("drag_sigma")),
               z = rowOf(frame.find("drag_z"));
    if (mu.empty() || mu.size() != sigma.size() || !allFinite(mu) || !allFinite(sigma)) return {};
    Draw draw{{mu.begin(), mu.end()}, {sigma.begin(), sigma.end()}, std::vector<float>(mu.size(), 0.f)};
    if (z.size() == mu.size() && allFinite(z))
        for (size_t k = 0; k < mu.size(); ++k)
            if (sigma[k] > 0) draw.eps[k] = (z[k] - mu[k]) / sigma[k];
    // A frame or two after the mouse the run has followed; until then its answer is the older one.
    if (m_asked && m_eps.size() == mu.size()) {
        float behind = 0;
        for (size_t k = 0; k < mu.size(); ++k) behind = std::max(behind, std::abs(draw.eps[k] - m_eps[k]));
        if (m_held || behind > 0.01f) {
            draw.eps = m_eps;
        } else {
            m_asked = false;
        }
    }
    return draw;
}

double LatentPlane::extentFor(const Codes& codes) {
    size_t finite = 0, outside = 0, near = 0;
    for (size_t i = 0; i < codes.x.size(); ++i) {
        const double far = std::max(std::abs(codes.x[i]), std::abs(codes.y[i]));
        if (!std::isfinite(far)) continue;
        ++finite;
        outside += far > m_extent;
        near += far < 0.4 * m_extent;
    }
    if (finite == 0) return m_extent;
    if (outside * 50 > finite && m_extent < 1e6) {
        m_extent *= 2;
        return extentFor(codes);
    }
    // Comes back later than it went, so that a code on the rim does not make the plane jump.
    if (m_extent > 4 && near * 200 > finite * 199) {
        m_extent /= 2;
        return extentFor(codes);
    }
    return m_extent;
}

void LatentPlane::draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor) {
    if (m_held && !canvas.mouse().down) m_held = false;
    Rect area = canvas.area();
    const bool beside = area.width() > area.height() + canvas.px(72);
    const bool roomy = area.width() > canvas.px(300) && area.height() > canvas.px(240);
    if (roomy && beside) {
        const Rect side = area.cutRight(canvas.px(136));
        area.cutRight(canvas.px(8));
        plane(canvas, frame, set, cursor, area);
        oneDraw(canvas, frame, set, side, true);
    } else if (roomy) {
        const Rect below = area.cutBottom(canvas.px(88));
        area.cutBottom(canvas.px(8));
        plane(canvas, frame, set, cursor, area);
        oneDraw(canvas, frame, set, below, false);
    } else {
        plane(canvas, frame, set, cursor, area);
    }
}

void LatentPlane::plane(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor,
                        Rect where) {
    const Codes codes = codesOf(frame);
    const int zDim = situationOf(frame).zDim;
    const double e = extentFor(codes);
    Plot plot = canvas.plot("plane",
                            {.x = {.low = -e, .high = e, .label = "z_1"},
                             .y = {.low = -e, .high = e, .label = "z_2"},
                             .equal = true,
                             .grid = false},
                            where);

    if (const core::Tensor* q = frame.find("aggregate_field")) {
        const float most = quantile(q->values, 1);
        if (most > 0)
            plot.field(AggregateField::gridOf(q->values),
                       {.low = 0, .high = most, .veil = Paint(Ink::learned, 0.4f)});
    }
    for (int k = 1; k <= 3; ++k) plot.ellipse(0, 0, k, k, Stroke(Paint(Ink::noise, 0.9f), 1.25f));

    const core::Tensor* labels = frame.find("codes_label");
    const Series series = codes.series();
    if (labels) {
        plot.pointsByClass(series, labels->values, 2.25f, 0.75f);
    } else {
        plot.points(series, Paint(Ink::learned, 0.7f));
    }
    if (const core::Tensor* logvar = frame.find("codes_logvar"); logvar && series.size > 0) {
        const size_t every = std::max<size_t>(1, series.size / ellipses);
        for (size_t i = 0; i < series.size; i += every) {
            const auto row = rowOf(logvar, int64_t(i));
            if (row.empty() || !allFinite(row) || !series.finite(i)) continue;
            const bool known = labels && i < labels->values.size() && std::isfinite(labels->values[i]);
            const Paint paint = known ? Paint::ofClass(int(labels->values[i])) : Paint(Ink::learned);
            plot.ellipse(series.xAt(i), series.yAt(i), std::exp(0.5 * row[0]),
                         row.size() > 1 ? std::exp(0.5 * row[1]) : 0, Stroke(paint, 1.25f), 0, 0.12f);
        }
    }
    for (int k = 1; k <= 3; ++k)
        plot.text(k * 0.7071, -k * 0.7071, std::to_string(k) + "σ", Ink::faint, {0, 0});
    nameClasses(canvas, plot, frame, codes);

    const Draw one = drawOf(frame);
    if (!one.mu.empty()) {
        const size_t second = one.mu.size() > 1 ? 1 : 0;
        const double sx = one.sigma[0], sy = one.sigma.size() > 1 ? one.sigma[1] : 0;
        const double my = second ? one.mu[1] : 0;
        plot.ellipse(one.mu[0], my, sx, sy, Stroke(Ink::selection, 2), 0, 0.2f);
        plot.ellipse(one.mu[0], my, 2 * sx, 2 * sy, Stroke(Paint(Ink::selection, 0.5f), 1));
        double x = one.z()[0], y = second ? one.z()[1] : 0;
        plot.line(Series::of(std::array{one.mu[0], float(x)}, std::array{float(my), float(y)}),
                  Stroke(Ink::selection, 1.5f));
        if (plot.draggable("z", x, y)) {
            m_eps = one.eps;
            m_held = true;
            moveEps((x - one.mu[0]) / std::max(sx, 1e-6), sy > 0 ? (y - my) / sy : 0, set);
        }
    }

    const auto at = plot.hover();
    if (at && !m_held) cursor.point(canvas.id(), *at, zDim, set);
    if (!at || m_held) cursor.leave(canvas.id());
    if (!cursor.z.empty()) decoded(canvas, plot, frame, codes, cursor);
    if (codes.x.empty()) canvas.empty("The codes of the test data appear here.", plot.rect());
}

void LatentPlane::nameClasses(Canvas& canvas, Plot& plot, const core::Frame& frame,
                              const Codes& codes) const {
    const core::Tensor* labels = frame.find("codes_label");
    if (!labels) return;
    std::array<std::vector<float>, 10> x, y;
    for (size_t i = 0; i < std::min(codes.x.size(), labels->values.size()); ++i) {
        const float label = labels->values[i];
        if (!(label >= 0 && label < 10) || !codes.series().finite(i)) continue;
        x[size_t(label)].push_back(codes.x[i]);
        y[size_t(label)].push_back(codes.y[i]);
    }
    // The median stays in the crowd where a mean may fall between two.
    std::vector<int> classes;
    std::vector<Vec> centres, halves;
    for (int k = 0; k < 10; ++k) {
        const std::string& name = className(frame, k);
        if (name.empty() || x[size_t(k)].empty()) continue;
        const Vec size = canvas.measure(name);
        classes.push_back(k);
        centres.push_back(plot.place(quantile(x[size_t(k)], 0.5), quantile(y[size_t(k)], 0.5)));
        halves.push_back({size.x / 2 + canvas.px(8), size.y / 2});
    }
    separate(centres, halves);
    for (size_t i = 0; i < classes.size(); ++i) {
        const Vec c = centres[i];
        const float shift = canvas.px(6);
        plot.text(plot.xAt(c.x + shift), plot.yAt(c.y), className(frame, classes[i]), Ink::text);
        canvas.dot({c.x - halves[i].x + canvas.px(4), c.y}, 4.5f, Paint::ofClass(classes[i]));
    }
}

void LatentPlane::decoded(Canvas& canvas, Plot& plot, const core::Frame& frame, const Codes& codes,
                          const Cursor& cursor) const {
    const double zx = cursor.z[0], zy = cursor.z.size() > 1 ? cursor.z[1] : 0;
    const Vec at = plot.place(zx, zy);
    plot.ring(zx, zy, Ink::selection, 5, 2);

    std::string caption = "z  " + pairOf(cursor.z);
    const int near = cursor.panel == canvas.id() ? plot.nearest(codes.series(), 6) : -1;
    const core::Tensor* labels = frame.find("codes_label");
    if (near >= 0 && labels && size_t(near) < labels->values.size())
        caption = className(frame, int(labels->values[size_t(near)])) + "\n" + caption;

    const float picture = canvas.px(84), pad = canvas.px(6);
    const Vec words = canvas.measure(caption, Size::small);
    const float width = std::max(picture, words.x) + 2 * pad;
    const float height = picture + words.y + 3 * pad;
    const Rect& r = plot.rect();
    float x = at.x + canvas.px(14), y = at.y + canvas.px(14);
    if (x + width > r.x1) x = at.x - canvas.px(14) - width;
    if (y + height > r.y1) y = at.y - canvas.px(14) - height;
    const Rect box = {x, y, x + width, y + height};
    canvas.fill(box, Ink::surface, 6);
    canvas.outline(box, Stroke(Ink::selection, 1.25f), 6);
    drawDatum(canvas, "decoded", rowOf(frame.find("decoded_point")),
              {x + pad, y + pad, x + width - pad, y + pad + picture}, Ink::generated);
    canvas.text({box.centre().x, y + picture + 2 * pad}, caption,
                {.paint = Ink::text, .size = Size::small, .anchor = {0.5f, 0}});
}

void LatentPlane::oneDraw(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Rect where,
                          bool upright) {
    const Draw one = drawOf(frame);
    const float line = canvas.lineHeight(), gap = canvas.px(8);
    const auto next = [&](float length) {
        const Rect r = upright ? where.cutTop(length) : where.cutLeft(length);
        upright ? where.cutTop(gap) : where.cutLeft(gap);
        return r;
    };
    const auto picture = [&](const std::string& id, const std::string& symbol, const char* channel,
                             Paint paint, float size) {
        Rect r = next(size + canvas.px(upright ? 0 : 20));
        const Rect label = r.cutLeft(canvas.px(20));
        canvas.text({label.x0, r.y0}, symbol, {.paint = paint, .size = Size::title});
        drawDatum(canvas, id, rowOf(frame.find(channel)), {r.x0, r.y0, r.x0 + size, r.y0 + size}, paint);
    };
    struct Row {
        std::string symbol;
        std::vector<float> values;
        Ink ink;
    };
    const float across = canvas.px(upright ? 112 : 96);
    const auto numbers = [&](const std::vector<Row>& rows) {
        const Rect r = next(upright ? line * float(rows.size()) : across);
        float y = r.y0;
        for (const Row& row : rows) {
            canvas.text({r.x0, y}, row.symbol, {.paint = row.ink});
            for (size_t k = 0; k < std::min<size_t>(row.values.size(), 2); ++k)
                canvas.text({r.x0 + across * (k ? 1 : 0.56f), y}, figure(row.values[k], 3),
                            {.anchor = {1, 0}});
            y += line;
        }
    };
    const Row mu{"μ", one.mu, Ink::learned}, sigma{"σ", one.sigma, Ink::learned},
        z{"z", one.mu.empty() ? one.mu : one.z(), Ink::selection};

    const float text = upright ? 4 * line + 5 * gap : 0;
    const float free = where.height() - text;
    const float size = canvas.px(upright && free > canvas.px(3 * 84) ? 84 : 56);
    picture("drag-x", "x", "drag_input", Ink::data, size);
    upright ? numbers({mu, sigma}) : numbers({mu, sigma, z});

    Rect dice = next(upright ? std::clamp(free - 2 * size, canvas.px(56), canvas.px(112)) : where.height());
    {
        const Axis axis{.low = -3, .high = 3, .ticks = false};
        dice.x1 = std::min(dice.x1, dice.x0 + canvas.px(20) + dice.height());
        canvas.text({dice.x0, dice.y0}, "ε", {.paint = Ink::noise, .size = Size::title});
        dice.cutLeft(canvas.px(upright ? 20 : 12));
        Plot plot = canvas.plot("eps", {.x = axis, .y = axis, .equal = true, .grid = false}, dice);
        for (int k = 1; k <= 2; ++k) plot.ellipse(0, 0, k, k, Stroke(Ink::noise, 1.25f));
        if (!one.mu.empty()) {
            double x = one.eps[0], y = one.eps.size() > 1 ? one.eps[1] : 0;
            plot.line(Series::of(std::array{0.f, float(x)}, std::array{0.f, float(y)}),
                      Stroke(Ink::selection, 1.5f));
            if (plot.draggable("eps", x, y)) {
                m_eps = one.eps;
                m_held = true;
                moveEps(x, y, set);
            }
        }
    }
    if (upright) {
        const Rect formula = next(line);
        canvas.text({formula.x0, formula.y0}, "z = μ + σ ε", {.paint = Ink::faint});
        numbers({z});
    }
    picture("drag-decoded", "x̂", "drag_decoded", Ink::generated, size);
}

void LatentPlane::moveEps(double x, double y, const SetHandle& set) {
    m_eps[0] = float(std::clamp(x, -3.0, 3.0));
    if (m_eps.size() > 1) m_eps[1] = float(std::clamp(y, -3.0, 3.0));
    m_asked = true;
    set("drag_eps", m_eps);
}

}  // namespace views::vae
