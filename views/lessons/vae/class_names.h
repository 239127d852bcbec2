// The names of classes beside dots in the plane: each dot stays where it is, and its name finds the room.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "views/canvas.h"

namespace views::vae {

struct NamedDot {
    Vec at;  // on the screen
    std::string name;
    int classIndex = 0;
};

class ClassNames {
  public:
    // Where names of those sizes stand: right of their dots or left, else above or below that, each as near
    // as it can without touching a dot, what is taken, or a name before it. Within the rectangle, if there is
    // room. A name keeps its side until another one is much nearer.
    std::vector<Rect> place(const std::vector<NamedDot>& dots, const std::vector<Vec>& sizes,
                            const Rect& within, std::vector<Rect> taken, float radius);
    // A thin line leads from a name to its dot where they stand apart.
    void draw(Canvas& canvas, const std::vector<NamedDot>& dots, const Rect& within,
              const std::vector<Rect>& taken);
    void forget() { m_last.clear(); }

  private:
    struct Side {
        bool right = true;
        float down = 0;
    };
    std::map<int, Side> m_last;  // by class
};

}  // namespace views::vae
