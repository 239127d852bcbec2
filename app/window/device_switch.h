// Where the run is computed, and the choice of it: the CPU, or an NVIDIA card; says why there is none.
#pragma once

#include <QToolButton>

#include "core/session/devices.h"

class QAction;
class QMenu;

namespace app {

class DeviceSwitch : public QToolButton {
    Q_OBJECT

  public:
    explicit DeviceSwitch(QWidget* parent = nullptr);

    // Asked for at the start, on another thread, and told here.
    void setCard(const core::DeviceAnswer& card);
    bool hasCard() const { return m_card.there; }
    // One sentence on why there is no card; empty where there is one.
    QString missing() const;
    // As the frame has it: "CPU, 2 threads, AVX-512".
    void setDevice(const QString& device, quint64 seed);
    bool onCpu() const { return m_device.startsWith("CPU"); }
    void dress();

  signals:
    void chosen(const QString& device, bool exact);

  private:
    QAction* add(const char* device, bool exact);
    void show();

    QMenu* m_menu;
    QAction *m_cpu, *m_cuda, *m_exact, *m_why;
    core::DeviceAnswer m_card;
    QString m_device;
    quint64 m_seed = 0;
};

}  // namespace app
