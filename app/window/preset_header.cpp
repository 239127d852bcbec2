#include "app/window/preset_header.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "app/text/number_text.h"
#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {
namespace {

// "(x₁ − 100, x₂ − 2.5) / 1.05"
QString placingOf(const core::OwnData& own) {
    QStringList coordinates;
    for (int i = 0; i < own.columns(); ++i) {
        const double centre = own.centre[size_t(i)];
        const QString name = own.columns() == 1 ? "x" : i == 0 ? "x₁" : "x₂";
        coordinates << name + (centre < 0 ? " + " : " − ") + numberText(std::abs(centre), 3);
    }
    return QStringLiteral("(%1) / %2").arg(coordinates.join(", "), numberText(own.unit, 3));
}

// What the user's file holds, and what was done to its numbers.
QString lineOf(const core::OwnData& own) {
    const qint64 rows = own.train->rows + own.test->rows;
    const QString name = QString::fromStdString(own.name);
    if (own.pictures) return say("%1, %2 pictures").arg(name).arg(rows);
    if (own.drawn == core::OwnData::Drawn::light)
        return say("%1, dense where the picture is light").arg(name);
    if (own.drawn == core::OwnData::Drawn::dark) return say("%1, dense where the picture is dark").arg(name);
    const QString line = say("%1, %2 points").arg(name).arg(rows);
    return own.scaled() ? line + " · " + say("centred and scaled to fit: %1").arg(placingOf(own)) : line;
}

}  // namespace

PresetHeader::PresetHeader(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    auto* row = new QHBoxLayout(this);
    m_title = new QLabel(this);
    m_title->hide();
    row->addWidget(m_title);
    m_presets = new QComboBox(this);
    m_presets->setObjectName("presets");
    m_presets->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    row->addWidget(m_presets);
    m_words = new QLabel(this);
    m_words->setObjectName("words");
    m_words->setWordWrap(true);
    m_words->setTextFormat(Qt::RichText);
    m_words->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    row->addWidget(m_words, 1);
    m_why = new QToolButton(this);
    m_why->setObjectName("why");
    m_why->setCheckable(true);
    m_why->setFocusPolicy(Qt::StrongFocus);
    row->addWidget(m_why);
    connect(m_presets, &QComboBox::activated, this, [this](int) {
        showWords();
        emit chosen(preset());
    });
    connect(m_why, &QToolButton::toggled, this, [this] { showWords(); });
    dress();
}

void PresetHeader::setLesson(const std::vector<core::Preset>& presets, const LessonText& text) {
    const QString current = preset();
    m_text = text;
    m_presets->clear();
    for (const core::Preset& preset : presets) {
        const QString name = QString::fromStdString(preset.name);
        const PresetWords* words = text.preset(name);
        m_presets->addItem(words ? words->title : name, name);
        if (words) m_presets->setItemData(m_presets->count() - 1, words->lookFor, Qt::ToolTipRole);
    }
    setPreset(current);
    dress();
}

void PresetHeader::setPreset(const QString& name) {
    m_presets->setCurrentIndex(std::max(0, m_presets->findData(name)));
    showWords();
}

QString PresetHeader::preset() const {
    return m_presets->currentData().toString();
}

void PresetHeader::setOwnData(const core::OwnDataPtr& own) {
    if (own == m_own) return;
    m_own = own;
    showWords();
}

QString PresetHeader::words() const {
    return m_words->text();
}

void PresetHeader::dress() {
    layout()->setContentsMargins(scaled(8), scaled(8), scaled(8), scaled(4));
    layout()->setSpacing(scaled(4));
    m_presets->setMinimumHeight(scaled(32));
    setMinimumHeight(scaled(56));  // longer words make it higher
    m_title->setText(QStringLiteral("<span style='font-size:%1px; font-weight:600'>%2</span>&nbsp;&nbsp;")
                         .arg(scaled(15))
                         .arg(m_text.title.toHtmlEscaped()));
    m_presets->setAccessibleName(say("Preset"));
    m_presets->setToolTip(
        say("Settings that show one thing well, those that fail included. Choosing one starts over."));
    m_why->setText(say("Why?"));
    m_why->setAccessibleName(say("Why?"));
    m_why->setToolTip(say("What is behind it. Look and guess first."));
    showWords();
    showTitle();
}

void PresetHeader::setPresenting(bool presenting) {
    m_presenting = presenting;
    showTitle();
}

// On a narrow screen the words that say what to look for need the room.
void PresetHeader::showTitle() {
    m_title->setVisible(m_presenting && width() >= scaled(800));
}

void PresetHeader::resizeEvent(QResizeEvent*) {
    showTitle();
}

void PresetHeader::showWords() {
    const PresetWords* words = m_text.preset(preset());
    m_why->setVisible(!m_own);
    if (!words) return m_words->clear();
    const bool why = m_why->isChecked();
    const QString faint = colour(currentTheme(), views::Ink::faint).name();
    const QString head = m_own ? say("Your data") : why ? say("Why") : say("Look for");
    const QString line = m_own ? lineOf(*m_own) : why ? words->why : words->lookFor;
    m_words->setText(
        QStringLiteral("<span style='color:%1'>%2</span>&nbsp; %3").arg(faint, head, line.toHtmlEscaped()));
    m_words->setContentsMargins(scaled(12), 0, scaled(8), 0);
    if (m_own) return m_words->setToolTip(QString::fromStdString(m_own->path));
    const auto whole = [](const QString& text) { return text.toHtmlEscaped(); };
    m_words->setToolTip(QStringLiteral("<p><b>%1</b><br>%2 %3</p>")
                            .arg(whole(words->title), say("Look for"), whole(words->lookFor)));
}

}  // namespace app
