// Pictures one after the other as an animated GIF: one palette for all of them, so that nothing flickers.
#pragma once

#include <QImage>
#include <QString>
#include <vector>

namespace app {

class GifWriter {
  public:
    // Pictures wider than this many pixels are made smaller.
    explicit GifWriter(int widest = 960) : m_widest(widest) {}

    // All pictures have the size of the first; another one is fitted to it.
    void add(const QImage& picture);
    int frames() const { return int(m_frames.size()); }
    // Shown in a loop; the last picture stays for two seconds. Throws core::Error naming the place.
    void save(const QString& path, double framesPerSecond) const;

  private:
    QImage frame(size_t i) const;

    int m_widest;
    QSize m_size;
    std::vector<QByteArray> m_frames;  // packed: a minute of pictures would fill the memory otherwise
};

}  // namespace app
