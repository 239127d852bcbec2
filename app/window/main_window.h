// The window: lessons, pane, knobs, text and transport around one run, or two side by side.
#pragma once

#include <QElapsedTimer>
#include <QMainWindow>
#include <QTimer>
#include <functional>
#include <memory>
#include <vector>

#include "app/text/lesson_text.h"
#include "app/window/actions.h"
#include "app/window/shipped_run.h"
#include "app/window/timeline_bar.h"
#include "core/contract/parameter.h"
#include "core/session/journal.h"
#include "core/session/lockstep.h"
#include "core/session/run_request.h"
#include "views/theme.h"

class QLabel;
class QPushButton;
class QSplitter;
class QTabBar;
class QTabWidget;

namespace app {

class AlgorithmView;
class DeviceSwitch;
class FigureLabel;
class KnobPanel;
class LessonList;
class LessonView;
class PresetHeader;
class RunColumn;
class SamplingBar;
class ToolRow;
class Transport;

struct WindowOptions {
    views::Theme theme;
    QString language = "en";
    bool presenting = false;
    bool remembers = true;  // geometry, theme and language from the last time, and for the next
};

class MainWindow : public QMainWindow {
    Q_OBJECT

  public:
    MainWindow(const core::RunRequest& request, const WindowOptions& options);
    ~MainWindow() override;

    void openLesson(const core::RunRequest& request);
    void setTheme(const views::Theme& theme);
    void setLanguage(const QString& language);
    void setPresenting(bool presenting);
    void setComparing(bool comparing);
    // Data of the user's own, for every run on screen. What is wrong with the file stands in problem().
    void openFile(const QString& path);
    // The run that such a line describes (Trainer::share()), instead of the present one.
    void replayRun(const QString& line);

    // For pictures and tests.
    Actions& actions() { return *m_actions; }
    // A network that came with the program is at work, and stands still.
    bool showsShipped() const { return m_shipped; }
    RunColumn& column(size_t index = 0) { return *m_columns.at(index); }
    size_t columnCount() const { return m_columns.size(); }
    KnobPanel& knobs() { return *m_knobs; }
    Transport& transport() { return *m_transport; }
    SamplingBar& samplingBar() { return *m_samplingBar; }
    AlgorithmView& algorithm() { return *m_algorithm; }
    PresetHeader& header() { return *m_header; }
    LessonList& lessons() { return *m_lessons; }
    DeviceSwitch& devices() { return *m_device; }
    const LessonText& text() const { return m_text; }
    // What the status line says is wrong; empty when all is well.
    QString problem() const;
    QString qualityOfShipped() const;
    QString howShippedWasJudged() const;

  protected:
    void closeEvent(QCloseEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

  private:
    void buildLayout();
    void connectActions();
    void connectControls();
    void connectSampling();
    void restore(const WindowOptions& options);
    void remember();

    void tick();
    bool pollPair();
    void showFrame();
    void showSampling();
    void showStatus();
    void changeLesson(const QString& id);
    void loadLesson(const QString& id);
    void dress();
    void dressColumn(RunColumn& column);
    void prepareSampling(RunColumn& column);
    void forkWith();

    RunColumn& selected() { return *m_columns[m_selected]; }
    void openBeside(RunColumn& a, RunColumn& b);
    void select(size_t column);
    void forEachColumn(const std::function<void(RunColumn&)>& act);
    void setRunning(bool running);
    bool onTheWay() const;
    void choosePreset(const QString& preset);
    bool openShipped(const QString& preset);
    void trainFromScratch();
    void turnKnob(const QString& knob, double value);
    void startOver();
    void stageOnce();
    void showAlgorithm();
    void showDifferences();
    void leave();
    void openExport();
    void setNotice(const QString& words, bool fault);
    void chooseFile();
    void takeData(const core::OwnDataPtr& own);
    void followData(const core::Frame& frame);
    core::OwnDataPtr ownDataOf(const core::Frame& frame) const;
    void pasteRun();
    void takeRun(const core::Journal& journal, const std::vector<core::OwnDataPtr>& files);
    void openPalette();
    void askForCard();
    void useDevice(const QString& device, bool exact);
    void useOtherDevice();
    qint64 planned() const;

    std::unique_ptr<Actions> m_actions;
    LessonText m_text;
    QString m_shownText;
    std::vector<core::Parameter> m_parameters;
    std::vector<core::Preset> m_presets;
    std::vector<core::OwnDataPtr> m_ownData;  // of which m_parameters know
    // What the window knows of runs that were left for another lesson, by lesson.
    struct Left {
        QString preset;
        bool shipped;
        qint64 furthest;
        std::vector<TimelineBar::Marker> markers;
    };
    std::map<QString, Left> m_left;
    QString m_dataFolder;  // where the last file was opened
    std::vector<RunColumn*> m_columns;
    std::vector<QString> m_columnPresets;
    size_t m_selected = 0;

    LessonList* m_lessons;
    PresetHeader* m_header;
    ToolRow* m_tools;
    QWidget *m_course, *m_panes, *m_side;
    QSplitter *m_split, *m_sideSplit;
    QTabBar* m_sides;
    KnobPanel* m_knobs;
    QTabWidget* m_words;
    LessonView* m_lessonView;
    AlgorithmView* m_algorithm;
    Transport* m_transport;
    SamplingBar* m_samplingBar;
    QLabel* m_state;
    QPushButton* m_goOn;     // shown where a device failed
    QPushButton* m_scratch;  // shown where a network that comes with the program is at work
    std::optional<ShippedFigures> m_shippedFigures;
    TrainingEstimate m_estimate;
    bool m_shipped = false;
    DeviceSwitch* m_device;
    FigureLabel* m_rate;

    QTimer m_timer, m_slowTimer;
    bool m_running = false, m_slow = false;
    bool m_presenting = false, m_remembers = true;
    qint64 m_statusShown = 0;
    std::shared_ptr<core::Lockstep> m_pace;  // of A and B
    QElapsedTimer m_sincePair;               // frames of A and B of the same step were taken
    QString m_notice;  // what the window itself has to say: a file is being read, or was refused
    bool m_noticeIsFault = false;
    core::RunRequest m_onDevice;  // the device of what is opened
};

}  // namespace app
