// ctest: gl
// The choice of a device in the window: with a card, without one, and when it fails.
#include <QApplication>
#include <QMenu>
#include <QPushButton>
#include <QTest>

#include "app/window/device_switch.h"
#include "app/window/interface_words.h"
#include "tests/support/window.h"

using namespace app;

class TestDeviceSwitch : public QObject, support::WithWindow {
    Q_OBJECT

    void open() {
        m_window = support::stillWindow({.lesson = "gan", .preset = "figure1"});
        m_window->show();
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QVERIFY(comesTrue([&] { return !frame().device.empty(); }));
    }
    bool runsOn(const char* device) {
        return comesTrue([&] { return frame().device.starts_with(device); });
    }
    QPushButton* goOn() {
        for (auto* button : m_window->findChildren<QPushButton*>())
            if (button->text() == say("Go on with the CPU")) return button;
        return nullptr;
    }

  private slots:
    void initTestCase() {
        qputenv("GENSCOPE_CUDA_PLUGIN", HOST_CARD);  // before anybody asks
    }
    void init() { qunsetenv("GENSCOPE_HOST_CARD"); }
    void cleanup() { m_window.reset(); }

    void whereThereIsNoCardItSaysWhy() {
        for (const auto& [language, why] : {std::pair{"en", "no NVIDIA driver is installed"},
                                            std::pair{"zh", "没有安装 NVIDIA 驱动程序"}}) {
            setInterfaceLanguage(language);
            DeviceSwitch devices;
            devices.setCard({false, "no NVIDIA driver is installed"});
            QVERIFY(devices.toolTip().contains(why));
            const QList<QAction*> choices = devices.menu()->actions();
            QCOMPARE(choices.size(), 4);
            QVERIFY(choices[0]->isEnabled() && !choices[1]->isEnabled() && !choices[2]->isEnabled());
            QVERIFY(choices[3]->isVisible() && choices[3]->text().contains(why));
            devices.setCard({true, "NVIDIA H100"});
            QVERIFY(choices[1]->isEnabled() && choices[1]->text().contains("NVIDIA H100"));
            QVERIFY(!choices[3]->isVisible());
        }
        setInterfaceLanguage("en");
    }

    void aRunGoesToTheCardAndBack() {
        open();
        QVERIFY(comesTrue([&] { return m_window->devices().hasCard(); }));
        m_window->actions().step->trigger();
        QVERIFY(comesTrue([&] { return frame().step == 1; }));
        m_window->devices().menu()->actions()[2]->trigger();
        QVERIFY(runsOn("Host card, FP32"));
        QCOMPARE(frame().step, int64_t(1));
        QVERIFY(m_window->devices().menu()->actions()[2]->isChecked());
        m_window->actions().step->trigger();
        QVERIFY(comesTrue([&] { return frame().step == 2; }));
        // By the keyboard: there and back.
        QTest::keyClick(m_window.get(), Qt::Key_D, Qt::ControlModifier);
        QVERIFY(runsOn("CPU"));
        QTest::keyClick(m_window.get(), Qt::Key_D, Qt::ControlModifier);
        QVERIFY(runsOn("Host card, TF32"));
        QVERIFY(frame().problem.empty());
        // Another lesson is opened on the same device.
        m_window->openLesson({.lesson = "gan", .preset = "figure1", .device = "cuda"});
        QVERIFY(comesTrue([&] { return frame().step == 0; }));
        QVERIFY(runsOn("Host card"));
    }

    void aCardThatFailsLeavesTheRunAndOffersTheCpu() {
        qputenv("GENSCOPE_HOST_CARD", "lost replay 8 the card has fallen off the bus");
        open();
        QVERIFY(goOn() && !goOn()->isVisible());
        m_window->actions().device->trigger();
        QVERIFY(runsOn("Host card"));
        m_window->actions().run->trigger();
        QVERIFY(comesTrue([&] { return frame().deviceFailed; }));
        QVERIFY(comesTrue([&] { return goOn()->isVisible(); }));
        QVERIFY(m_window->problem().contains("fallen off the bus"));
        QVERIFY(!goOn()->toolTip().isEmpty());
        const int64_t step = frame().step;
        QTest::mouseClick(goOn(), Qt::LeftButton);
        QVERIFY(runsOn("CPU"));
        QVERIFY(comesTrue([&] { return frame().target < 0 && frame().step >= step; }));
        QVERIFY(m_window->problem().isEmpty());
        QVERIFY(comesTrue([&] { return !goOn()->isVisible(); }));
        m_window->actions().run->trigger();
        QVERIFY(comesTrue([&] { return frame().step > step + 10; }));
    }
};

QTEST_MAIN(TestDeviceSwitch)
#include "tst_device_switch.moc"
