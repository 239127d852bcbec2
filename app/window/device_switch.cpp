#include "app/window/device_switch.h"

#include <QActionGroup>
#include <QMenu>

#include "app/window/interface_words.h"

namespace app {

DeviceSwitch::DeviceSwitch(QWidget* parent) : QToolButton(parent), m_menu(new QMenu(this)) {
    setToolButtonStyle(Qt::ToolButtonTextOnly);
    setPopupMode(QToolButton::InstantPopup);
    setFocusPolicy(Qt::StrongFocus);
    setAutoRaise(true);
    auto* group = new QActionGroup(this);
    m_cpu = add("cpu", false);
    m_cuda = add("cuda", false);
    m_exact = add("cuda", true);
    for (QAction* choice : {m_cpu, m_cuda, m_exact}) group->addAction(choice);
    m_why = m_menu->addAction(QString());
    m_why->setEnabled(false);
    setMenu(m_menu);
    connect(this, &QToolButton::clicked, this, &QToolButton::showMenu);  // by the keyboard
    dress();
}

QAction* DeviceSwitch::add(const char* device, bool exact) {
    QAction* action = m_menu->addAction(QString());
    action->setCheckable(true);
    const QString name = device;
    connect(action, &QAction::triggered, this, [=, this] {
        show();  // what is checked is what the frames say
        emit chosen(name, exact);
    });
    return action;
}

void DeviceSwitch::setCard(const core::DeviceAnswer& card) {
    m_card = card;
    dress();
}

QString DeviceSwitch::missing() const {
    if (m_card.there) return {};
    return m_card.text.empty() ? say("The card has not answered yet.") : say(m_card.text.c_str());
}

void DeviceSwitch::setDevice(const QString& device, quint64 seed) {
    if (device == m_device && seed == m_seed) return;
    m_device = device;
    m_seed = seed;
    show();
}

void DeviceSwitch::show() {
    QString device = m_device;
    device.replace("threads", say("threads")).replace("thread,", say("thread") + ",");
    setText(say("%1 · seed %2").arg(device).arg(m_seed) + QStringLiteral(" ▾"));
    const bool exact = m_device.endsWith("FP32");
    m_cpu->setChecked(onCpu());
    m_cuda->setChecked(!onCpu() && !exact);
    m_exact->setChecked(!onCpu() && exact);
}

void DeviceSwitch::dress() {
    const QString card = m_card.there ? QString::fromStdString(m_card.text) : say("NVIDIA card");
    m_cpu->setText(say("CPU"));
    m_cuda->setText(say("%1, fast (TF32)").arg(card));
    m_exact->setText(say("%1, exact (FP32)").arg(card));
    m_cuda->setEnabled(m_card.there);
    m_exact->setEnabled(m_card.there);
    m_why->setText(say("No card: %1").arg(missing()));
    m_why->setVisible(!m_card.there);
    setAccessibleName(say("Device and seed"));
    QString words =
        say("What computes the run, and its seed. Press to choose another device; the run goes on "
            "from the same numbers.");
    if (!m_card.there) words += "<br>" + m_why->text().toHtmlEscaped();
    setToolTip("<p>" + words + "</p>");
    show();
}

}  // namespace app
