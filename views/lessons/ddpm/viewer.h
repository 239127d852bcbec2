// The step-through viewer: every intermediate of a sampling run, of one sample or of all, and of a branch
// beside it.
#pragma once

#include <map>

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

class Viewer {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SamplingPlace& place,
              const SamplingActions& actions);
    int sample() const { return m_sample; }

  private:
    using Quantity = core::Trajectory::Quantity;
    // One run at one moment.
    struct Shown {
        const core::Trajectory& run;
        int step;        // the state
        int ofStep;      // of the other quantities: the last step's where there is no further one
        int done = 4;    // stages of this step that are done
        std::string id;  // "run", "branch"
        Paint paint;
        bool has(Quantity quantity) const;
    };
    // Paths of particles, [particle][2 (n + 1)], kept while the run stays as it is.
    struct Trails {
        int64_t run = 0;
        size_t steps = 0;
        int sample = -1;
        std::vector<std::vector<float>> x, y;
    };

    // A plane, a picture or a sheet of them.
    struct Fit {
        Vec size;
        float measure = 0;  // the side of the plane, or of each picture
        int columns = 1, count = 0;
    };
    // Where the parts of a run stand.
    struct Places {
        Rect head, picture, tiles;
        Fit fit;          // of what the picture shows
        float tile = 0;   // the side of a tile
        int columns = 5;  // of tiles
    };
    std::vector<Places> arranged(const Canvas& canvas, const std::vector<Shown>& runs,
                                 const std::vector<Rect>& rooms) const;
    Fit fitIn(const Canvas& canvas, const core::Trajectory& run, Vec room) const;

    void drawColumn(Canvas& canvas, const core::Frame& frame, const Shown& shown, const Places& places);
    std::vector<std::string> headLines(const Canvas& canvas, const Shown& shown, float width) const;
    float placeWidth(const Canvas& canvas) const;
    float buttonWidth(const Canvas& canvas) const;
    void drawHead(Canvas& canvas, const Shown& shown, Rect where) const;
    void drawSheet(Canvas& canvas, const Shown& shown, const Places& places);
    void drawPlane(Canvas& canvas, const core::Frame& frame, const Shown& shown, Rect where);
    void drawStep(Plot& plot, const Shown& shown) const;
    void drawTiles(Canvas& canvas, const Shown& shown, const Places& places);
    void drawTile(Canvas& canvas, const Shown& shown, Quantity quantity, Rect where);
    const Trails& trailsOf(const Shown& shown);

    Quantity m_quantity = Quantity::state;
    int m_sample = 0;
    bool m_single = false;
    std::map<std::string, Trails> m_trails;  // by Shown::id
};

}  // namespace views::ddpm
