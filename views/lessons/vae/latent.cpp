#include "views/lessons/vae/latent.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace views::vae {

namespace {

constexpr int ellipses = 60;

}  // namespace

LatentPlane::Codes LatentPlane::codesOf(const core::Frame& frame) const {
    Codes codes;
    const core::Tensor* t = frame.find("codes");
    if (!t || t->values.empty()) return codes;
    const auto c = size_t(t->shape.columns()), n = size_t(t->shape.rows());
    const auto a = size_t(m_axes[0]), b = size_t(m_axes[1]);
    if (t->values.size() < n * c || a >= c || b >= c) return codes;
    for (size_t i = 0; i < n; ++i) {
        codes.x.push_back(t->values[i * c + a]);
        codes.y.push_back(t->values[i * c + b]);
    }
    return codes;
}

LatentPlane::Draw LatentPlane::drawOf(const core::Frame& frame) {
    const auto mu = rowOf(frame.find("drag_mu")), sigma = rowOf(frame.find("drag_sigma")),
               z = rowOf(frame.find("drag_z"));
    const size_t n = mu.size();
    if (n < 2 || sigma.size() != n || !allFinite(mu) || !allFinite(sigma)) return {};
    if (size_t(std::max(m_axes[0], m_axes[1])) >= n) return {};
    Draw draw{.known = true, .allEps = std::vector<float>(n, 0.f)};
    if (z.size() == n && allFinite(z))
        for (size_t k = 0; k < n; ++k)
            if (sigma[k] > 0) draw.allEps[k] = (z[k] - mu[k]) / sigma[k];
    // A frame or two after the mouse the run has followed; until then its answer is the older one.
    if (m_asked && m_eps.size() == n) {
        float behind = 0;
        for (size_t k = 0; k < n; ++k) behind = std::max(behind, std::abs(draw.allEps[k] - m_eps[k]));
        if (m_held || behind > 0.01f) {
            draw.allEps = m_eps;
        } else {
            m_asked = false;
        }
    }
    for (size_t axis : {0, 1}) {
        const auto k = size_t(m_axes[axis]);
        draw.mu[axis] = mu[k];
        draw.sigma[axis] = sigma[k];
        draw.eps[axis] = draw.allEps[k];
    }
    return draw;
}

double LatentPlane::extentFor(const Codes& codes) {
    size_t finite = 0, outside = 0, farOut = 0;
    for (size_t i = 0; i < codes.x.size(); ++i) {
        const double far = std::max(std::abs(codes.x[i]), std::abs(codes.y[i]));
        if (!std::isfinite(far)) continue;
        ++finite;
        outside += far > m_extent;
        farOut += far > m_extent / 2;
    }
    if (outside * 10 > finite && m_extent < 1e6) {
        m_extent *= 2;
        return extentFor(codes);
    }
    // Comes back later than it went, so that codes about the rim do not make the plane jump.
    if (m_extent > 4 && finite > 0 && farOut * 50 < finite) {
        m_extent /= 2;
        return extentFor(codes);
    }
    return m_extent;
}

void LatentPlane::draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor) {
    if (m_held && !canvas.mouse().down) m_held = false;
    m_axes = planeOf(frame);
    // Gone back in time, or begun anew.
    if (frame.step < m_step) {
        m_asked = false;
        m_extent = 4;
        m_names.forget();
    }
    m_step = frame.step;
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
                            {.x = {.low = -e, .high = e, .label = axisName(0)},
                             .y = {.low = -e, .high = e, .label = axisName(1)},
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
            const auto a = size_t(m_axes[0]), b = size_t(m_axes[1]);
            if (row.size() <= std::max(a, b) || !allFinite(row) || !series.finite(i)) continue;
            const bool known = labels && i < labels->values.size() && std::isfinite(labels->values[i]);
            const Paint paint = known ? Paint::ofClass(int(labels->values[i])) : Paint(Ink::learned);
            plot.ellipse(series.xAt(i), series.yAt(i), std::exp(0.5 * row[a]), std::exp(0.5 * row[b]),
                         Stroke(paint, 1.25f), 0, 0.12f);
        }
    }
    std::vector<Rect> taken;
    for (int k = 1; k <= 3; ++k) {
        const std::string sigma = std::to_string(k) + "σ";
        const Vec at = plot.place(k * 0.7071, -k * 0.7071), size = canvas.measure(sigma, Size::small);
        plot.text(k * 0.7071, -k * 0.7071, sigma, Ink::faint, {0, 0});
        taken.push_back({at.x, at.y, at.x + size.x, at.y + size.y});
    }
    const Draw one = drawOf(frame);
    if (one.known) {
        // Names do not flee from dice that the hand holds.
        const std::array marks = {plot.place(one.mu[0], one.mu[1]), plot.place(one.z()[0], one.z()[1])};
        const float reach = canvas.px(9);
        for (size_t i = 0; i < (m_held ? 1 : marks.size()); ++i)
            taken.push_back({marks[i].x - reach, marks[i].y - reach, marks[i].x + reach, marks[i].y + reach});
    }
    nameClasses(canvas, plot, frame, codes, taken);

    if (one.known) {
        const auto [mx, my] = one.mu;
        const auto [sx, sy] = one.sigma;
        plot.ellipse(mx, my, sx, sy, Stroke(Ink::selection, 2), 0, 0.2f);
        plot.ellipse(mx, my, 2 * sx, 2 * sy, Stroke(Paint(Ink::selection, 0.5f), 1));
        double x = one.z()[0], y = one.z()[1];
        plot.line(Series::of(std::array{mx, float(x)}, std::array{my, float(y)}),
                  Stroke(Ink::selection, 1.5f));
        if (plot.draggable("z", x, y))
            moveEps(one, (x - mx) / std::max(sx, 1e-6f), (y - my) / std::max(sy, 1e-6f), set);
    }

    const auto at = plot.hover();
    if (at && !m_held) cursor.point(canvas.id(), *at, m_axes, zDim, set);
    if (!at || m_held) cursor.leave(canvas.id());
    if (!cursor.z.empty()) decoded(canvas, plot, frame, codes, cursor);
    if (codes.x.empty()) canvas.empty("The codes of the test data appear here.", plot.rect());
}

void LatentPlane::nameClasses(Canvas& canvas, Plot& plot, const core::Frame& frame, const Codes& codes,
                              const std::vector<Rect>& taken) {
    const core::Tensor* labels = frame.find("codes_label");
    if (!labels) return;
    struct Mean {
        double x = 0, y = 0, count = 0;
    };
    std::array<Mean, 10> means;
    for (size_t i = 0; i < std::min(codes.x.size(), labels->values.size()); ++i) {
        const float label = labels->values[i];
        if (!(label >= 0 && label < 10) || !codes.series().finite(i)) continue;
        Mean& mean = means[size_t(label)];
        mean.x += codes.x[i], mean.y += codes.y[i], mean.count += 1;
    }
    std::vector<NamedDot> dots;
    for (int k = 0; k < 10; ++k) {
        const Mean& mean = means[size_t(k)];
        const std::string& name = className(frame, k);
        if (name.empty() || mean.count == 0) continue;
        const Vec at = plot.place(mean.x / mean.count, mean.y / mean.count);
        if (plot.rect().contains(at)) dots.push_back({at, name, k});
    }
    m_names.draw(canvas, dots, plot.rect(), taken);
}

void LatentPlane::decoded(Canvas& canvas, Plot& plot, const core::Frame& frame, const Codes& codes,
                          const Cursor& cursor) const {
    if (cursor.z.size() <= size_t(std::max(m_axes[0], m_axes[1]))) return;
    const double zx = cursor.z[size_t(m_axes[0])], zy = cursor.z[size_t(m_axes[1])];
    const Vec at = plot.place(zx, zy);
    plot.ring(zx, zy, Ink::selection, 5, 2);

    std::vector<std::string> captions = {fmt::format("z  {}  {}", figure(zx, 3), figure(zy, 3))};
    const int near = cursor.panel == canvas.id() ? plot.nearest(codes.series(), 6) : -1;
    const core::Tensor* labels = frame.find("codes_label");
    if (near >= 0 && labels && size_t(near) < labels->values.size())
        if (const std::string& name = className(frame, int(labels->values[size_t(near)])); !name.empty())
            captions.push_back(name);

    const float picture = canvas.px(84), pad = canvas.px(6), line = canvas.lineHeight(Size::small);
    float across = picture;
    for (const std::string& caption : captions)
        across = std::max(across, canvas.measure(caption, Size::small).x);
    const float width = across + 2 * pad, height = picture + line * float(captions.size()) + 3 * pad;
    const Rect& r = plot.rect();
    float x = at.x + canvas.px(14), y = at.y + canvas.px(14);
    if (x + width > r.x1) x = at.x - canvas.px(14) - width;
    if (y + height > r.y1) y = at.y - canvas.px(14) - height;
    const Rect box = {x, y, x + width, y + height};
    canvas.fill(box, Ink::surface, 6);
    canvas.outline(box, Stroke(Ink::selection, 1.25f), 6);
    drawDatum(canvas, "decoded", rowOf(frame.find("decoded_point")),
              {x + pad, y + pad, x + width - pad, y + pad + picture}, Ink::generated);
    for (size_t i = 0; i < captions.size(); ++i)
        canvas.text({box.centre().x, y + picture + 2 * pad + float(i) * line}, captions[i],
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
        std::array<float, 2> values;
        Ink ink;
    };
    // Side by side, what two pictures and the dice leave.
    const float across =
        upright ? canvas.px(112) : std::clamp(where.width() - canvas.px(272), canvas.px(96), canvas.px(120));
    const bool narrow = across < canvas.px(108);
    const auto number = [decimals = across < canvas.px(116) ? 2 : 3](float v) {
        if (std::abs(v) >= 1000) return figure(v, 2);
        const bool zero = std::abs(v) < 0.5 * std::pow(10., -decimals);
        return fmt::format("{}{:.{}f}", v < 0 && !zero ? "−" : "", zero ? 0. : std::abs(double(v)), decimals);
    };
    const bool tight = !upright && where.width() < canvas.px(364);
    const auto numbers = [&](const std::vector<Row>& rows) {
        const Rect r = next(upright ? line * float(rows.size()) : across);
        float y = r.y0;
        for (const Row& row : rows) {
            canvas.text({r.x0, y}, row.symbol, {.paint = row.ink});
            for (size_t k = 0; k < 2 && one.known; ++k)
                canvas.text({r.x0 + across * (k ? 1 : 0.56f), y + line / 2}, number(row.values[k]),
                            {.size = narrow ? Size::small : Size::base, .anchor = {1, 0.5f}});
            y += line;
        }
    };
    const Row mu{"μ", one.mu, Ink::learned}, sigma{"σ", one.sigma, Ink::learned},
        z{"z", one.z(), Ink::selection};

    const float text = upright ? 4 * line + 5 * gap : 0;
    const float free = where.height() - text;
    const float size = canvas.px(upright && free > canvas.px(3 * 84) ? 84 : tight ? 40 : 56);
    picture("drag-x", "x", "drag_input", Ink::data, size);
    upright ? numbers({mu, sigma}) : numbers({mu, sigma, z});

    Rect dice = next(upright ? std::clamp(free - 2 * size, canvas.px(56), canvas.px(112))
                             : std::min(where.height(), canvas.px(tight ? 48 : 64)));
    {
        const Axis axis{.low = -3, .high = 3, .ticks = false};
        dice.x1 = std::min(dice.x1, dice.x0 + canvas.px(20) + dice.height());
        canvas.text({dice.x0, dice.y0}, "ε", {.paint = Ink::noise, .size = Size::title});
        dice.cutLeft(canvas.px(upright ? 20 : 12));
        Plot plot = canvas.plot("eps", {.x = axis, .y = axis, .equal = true, .grid = false}, dice);
        for (int k = 1; k <= 2; ++k) plot.ellipse(0, 0, k, k, Stroke(Ink::noise, 1.25f));
        if (one.known) {
            double x = one.eps[0], y = one.eps[1];
            plot.line(Series::of(std::array{0.f, float(x)}, std::array{0.f, float(y)}),
                      Stroke(Ink::selection, 1.5f));
            if (plot.draggable("eps", x, y)) moveEps(one, x, y, set);
        }
    }
    if (upright) {
        const Rect formula = next(line);
        canvas.text({formula.x0, formula.y0}, "z = μ + σ ε", {.paint = Ink::faint});
        numbers({z});
    }
    picture("drag-decoded", "x̂", "drag_decoded", Ink::generated, size);
}

void LatentPlane::moveEps(const Draw& one, double x, double y, const SetHandle& set) {
    m_eps = one.allEps;
    m_eps[size_t(m_axes[0])] = float(std::clamp(x, -3.0, 3.0));
    m_eps[size_t(m_axes[1])] = float(std::clamp(y, -3.0, 3.0));
    m_held = m_asked = true;
    set("drag_eps", m_eps);
}

}  // namespace views::vae
